// The platforms that `npx tinysse-server` has a program for: what npm knows them by, and what Rust does.

/** `zig`: cross-compiled here with Zig as the C compiler and linker. */
export const platforms = [
  { name: 'linux-x64-gnu', target: 'x86_64-unknown-linux-gnu', os: 'linux', cpu: 'x64', libc: 'glibc', zig: '.2.28' },
  { name: 'linux-x64-musl', target: 'x86_64-unknown-linux-musl', os: 'linux', cpu: 'x64', libc: 'musl', zig: '' },
  {
    name: 'linux-arm64-gnu',
    target: 'aarch64-unknown-linux-gnu',
    os: 'linux',
    cpu: 'arm64',
    libc: 'glibc',
    zig: '.2.28',
  },
  { name: 'linux-arm64-musl', target: 'aarch64-unknown-linux-musl', os: 'linux', cpu: 'arm64', libc: 'musl', zig: '' },
  { name: 'darwin-x64', target: 'x86_64-apple-darwin', os: 'darwin', cpu: 'x64' },
  { name: 'darwin-arm64', target: 'aarch64-apple-darwin', os: 'darwin', cpu: 'arm64' },
  { name: 'win32-x64', target: 'x86_64-pc-windows-msvc', os: 'win32', cpu: 'x64' },
];

export const packageOf = (name) => `@tinysse/server-${name}`;
export const programOf = ({ os }) => (os === 'win32' ? 'tinysse-server.exe' : 'tinysse-server');
