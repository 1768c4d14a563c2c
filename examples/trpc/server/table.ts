// A table in memory. A real application has a database here.

export interface Row {
  readonly id: string;
  readonly name: string;
  /** Who changed it last, and when. */
  readonly by: string;
  readonly at: number;
}

export class Table<T extends Row> {
  readonly #rows = new Map<string, T>();

  constructor(rows: readonly T[]) {
    for (const row of rows) this.#rows.set(row.id, row);
  }

  all(): T[] {
    return [...this.#rows.values()];
  }

  add(row: Omit<T, 'id' | 'at'>): T {
    const added = { ...row, id: crypto.randomUUID().slice(0, 8), at: Date.now() } as T;
    this.#rows.set(added.id, added);
    return added;
  }

  /** Changes a row. Returns false if there is none. */
  set(id: string, change: Partial<T>): boolean {
    const row = this.#rows.get(id);
    if (row) this.#rows.set(id, { ...row, ...change, at: Date.now() });
    return row !== undefined;
  }

  remove(id: string): boolean {
    return this.#rows.delete(id);
  }
}
