// Types for the tests in TypeScript that ask where the browser is.
export function findChromium(): { browser: string | undefined; driver: string | undefined };
