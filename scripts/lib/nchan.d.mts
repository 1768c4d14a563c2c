// Types for the tests in TypeScript that run nginx.
export function findNchan(): string | undefined;
