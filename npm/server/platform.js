// Which package has the program for this platform, and where it is.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** The platforms that there is a package for. */
export const platforms = [
  'linux-x64-gnu',
  'linux-x64-musl',
  'linux-arm64-gnu',
  'linux-arm64-musl',
  'darwin-x64',
  'darwin-arm64',
  'win32-x64',
];

/** The name of this platform. Linux has two libraries for C. */
export function platformName({ platform, arch, report } = process) {
  if (platform !== 'linux') return `${platform}-${arch}`;
  if (report) report.excludeNetwork = true;
  const { glibcVersionRuntime } = report?.getReport().header ?? {};
  return `linux-${arch}-${glibcVersionRuntime ? 'gnu' : 'musl'}`;
}

/** The path of the program. Throws an error with what to do. */
export function findProgram(name = platformName(), environment = process.env) {
  if (environment.TINYSSE_SERVER_BINARY) return environment.TINYSSE_SERVER_BINARY;
  const program = name.startsWith('win32') ? 'tinysse-server.exe' : 'tinysse-server';
  if (platforms.includes(name)) {
    // The static one runs wherever the other does.
    for (const one of [name, name.replace(/-gnu$/, '-musl')]) {
      try {
        return require.resolve(`@tinysse/server-${one}/bin/${program}`);
      } catch {
        // It is not installed.
      }
    }
    throw new Error(
      `@tinysse/server-${name} is not installed. npm leaves optional dependencies out with --omit=optional, and with a ` +
        'lock file that was made on another platform: install again without it, or run `npm install ' +
        `@tinysse/server-${name}\``,
    );
  }
  throw new Error(
    `there is no program for ${name}, only for ${platforms.join(', ')}. Build it with \`cargo install tinysse-server\`, ` +
      'and set TINYSSE_SERVER_BINARY to it',
  );
}
