// A titled panel with a count.
import type { ReactNode } from 'react';
import { explain } from '../http';

interface Props {
  title: string;
  /** How many there are; undefined while that is not known. */
  count: number | undefined;
  /** The form that adds one. */
  form: ReactNode;
  error: Error | null;
  onRetry: () => void;
  /** The text for an empty list. */
  empty: string;
  children: ReactNode;
}

/** A titled list with its four states: loading, failed, empty, filled. All have the same height, so nothing jumps. */
export function Panel({ title, count, form, error, onRetry, empty, children }: Props) {
  const id = `${title.toLowerCase().replaceAll(' ', '-')}-title`;
  return (
    <section className="panel" aria-labelledby={id}>
      <div className="panel-head">
        <h2 id={id}>
          {title} <span className="count">{count ?? ''}</span>
        </h2>
      </div>
      {form}
      <div className="panel-body" aria-busy={count === undefined && !error}>
        {count === undefined ? error ? <Failed error={error} onRetry={onRetry} /> : <Skeleton /> : null}
        {count === 0 && <p className="hollow">{empty}</p>}
        {count !== undefined && count > 0 && children}
      </div>
    </section>
  );
}

function Failed({ error, onRetry }: { error: Error; onRetry: () => void }) {
  return (
    <p className="hollow" role="alert">
      {explain(error)}{' '}
      <button type="button" className="link" onClick={onRetry}>
        Try again
      </button>
    </p>
  );
}

function Skeleton() {
  return (
    <div className="skeleton" aria-hidden="true">
      <span />
      <span />
      <span />
    </div>
  );
}
