// The members of JSON objects as they are written: `JSON.parse` keeps neither the digits of a
// number nor a member that occurs twice.

/** A member of an object. */
export interface RawMember {
  readonly name: string;
  /** The value, octet by octet, without the space around it. */
  readonly value: string;
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /[^ \t\n\r,\]}]+/y;
const MARK = /["[\]{}]/g;

/**
 * Returns the members of the object that a text is, or of each object of the array that it is, in
 * the order of the text. `JSON.parse` has read the text before: it is sound, and all are objects.
 *
 * ```ts
 * rawMembers('{"data": 1.50}'); // [[{ name: 'data', value: '1.50' }]]
 * ```
 */
export function rawMembers(text: string): RawMember[][] {
  const scanner = new Scanner(text);
  if (scanner.next() === '{') return [scanner.members()];
  const objects: RawMember[][] = [];
  scanner.take();
  while (scanner.next() !== ']') {
    if (scanner.next() === ',') scanner.take();
    else objects.push(scanner.members());
  }
  return objects;
}

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is not space. */
  next(): string | undefined {
    this.#skip(SPACE);
    return this.#text[this.#at];
  }

  /** Goes past one character. */
  take(): void {
    this.#at += 1;
  }

  /** Goes past an object. */
  members(): RawMember[] {
    const members: RawMember[] = [];
    this.take();
    while (this.next() !== '}') {
      if (this.next() === ',') this.take();
      const name = JSON.parse(this.#value()) as string;
      this.next();
      this.take();
      members.push({ name, value: this.#value() });
    }
    this.take();
    return members;
  }

  #value(): string {
    const first = this.next();
    const from = this.#at;
    if (first === '"') this.#string();
    else if (first === '{' || first === '[') this.#nested();
    else this.#skip(SCALAR);
    return this.#text.slice(from, this.#at);
  }

  #string(): void {
    do this.#at = this.#text.indexOf('"', this.#at + 1);
    while (this.#isEscaped());
    this.take();
  }

  /** An odd number of backslashes is before the place. */
  #isEscaped(): boolean {
    let before = this.#at;
    while (this.#text[before - 1] === '\\') before -= 1;
    return (this.#at - before) % 2 === 1;
  }

  #nested(): void {
    let depth = 0;
    do {
      MARK.lastIndex = this.#at;
      const mark = MARK.exec(this.#text);
      this.#at = mark?.index ?? this.#text.length;
      if (mark?.[0] === '"') {
        this.#string();
        continue;
      }
      depth += mark?.[0] === '{' || mark?.[0] === '[' ? 1 : -1;
      this.take();
    } while (depth > 0);
  }

  #skip(what: RegExp): void {
    what.lastIndex = this.#at;
    this.#at += what.exec(this.#text)?.[0].length ?? 0;
  }
}
