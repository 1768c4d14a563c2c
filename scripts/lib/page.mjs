// The live page, built from the built package.
import { at, npmBin } from './paths.mjs';
import { runNode } from './run.mjs';
import { once } from './stamp.mjs';

const dashboard = at('examples', 'dashboard');
export const pages = at('examples', 'dashboard', 'dist');

export async function buildPage() {
  const inputs = [dashboard, at('examples', 'look'), at('pkg'), at('package-lock.json')];
  await once('dashboard', 'building the page', { inputs, outputs: [pages] }, () =>
    runNode(npmBin('vite'), ['build', '--logLevel', 'warn', dashboard]),
  );
}
