// Virtual time for everything in the file that imports this first: React keeps the `setTimeout`
// that it finds when it is loaded, with which it holds back the content of a Suspense boundary. Its
// scheduler runs in immediates, which stay real.
import { vi } from 'vitest';

vi.useFakeTimers({
  toFake: [
    'setTimeout',
    'clearTimeout',
    'setInterval',
    'clearInterval',
    'requestAnimationFrame',
    'cancelAnimationFrame',
    'Date',
  ],
});
