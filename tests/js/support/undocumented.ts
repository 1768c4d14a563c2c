// Declarations for `documented.test.ts`, which finds those without a comment.

export interface Bare {
  member: string;
  /** A member. */
  documented: string;
}

export const bare = 1;

/** A constant. */
export const documented = 2;
