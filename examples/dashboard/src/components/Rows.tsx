// A list whose new rows are marked for a moment.
import { type ReactNode, useState } from 'react';
import type { Project } from '../api';
import { ago, useNow } from '../time';

interface Props<T> {
  items: readonly T[];
  label: string;
  children: (item: T, isNew: boolean) => ReactNode;
}

/** The rows of a list. Mounted with the first data, so it knows which rows came later. */
export function Rows<T extends { id: string }>({ items, label, children }: Props<T>) {
  const [known] = useState(() => new Set(items.map((item) => item.id)));
  return (
    <ul className="rows" aria-label={label}>
      {items.map((item) => children(item, !known.has(item.id)))}
    </ul>
  );
}

/** Lights the row once for each new `mark`, and at the start if `lit`. */
export function Flash({ mark, lit }: { mark: number; lit: boolean }) {
  const [first] = useState(mark);
  const [wasLit] = useState(lit);
  return mark !== first || wasLit ? <span className="flash" key={mark} aria-hidden="true" /> : null;
}

/** Who changed it, and when. */
export function Changed({ item }: { item: Project }) {
  const now = useNow();
  const at = item.updatedAt;
  if (at === 0) return <p className="changed">untouched</p>;
  return (
    <p className="changed" data-fresh={now - at < 4000}>
      <span className="by">{item.by}</span>
      <time dateTime={new Date(at).toISOString()}>{ago(at, now)}</time>
    </p>
  );
}
