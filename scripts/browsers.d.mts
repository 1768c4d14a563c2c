import type { Program } from 'typescript';

/** The oldest supported version of each browser. */
export const supported: Readonly<Record<'chrome' | 'edge' | 'firefox' | 'safari', string>>;

/** A use of a web API: its place in MDN's data, and the file and line. */
export interface Use {
  readonly place: string;
  readonly where: string;
}

export function look(sources: { program: Program; files: ReadonlySet<string> }): Generator<Use>;

/** A line for each supported browser that lacks it. */
export function lacking(use: Use): string[];

export function checkBrowsers(options?: { needs?: boolean }): void;
