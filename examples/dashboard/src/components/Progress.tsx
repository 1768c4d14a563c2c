// The value of the API that the server polls.
import { explain, HttpError } from '../http';
import { useProgress } from '../queries';
import { ago, useNow } from '../time';

/** The polled API: the server polls it, caches the answer, and publishes an update when it changed. */
export function Progress() {
  const { data, dataUpdatedAt, error } = useProgress();
  const now = useNow();
  const value = data?.data ?? null;
  const percent = Math.min(100, Math.max(0, Math.round(value?.percent ?? 0)));
  const takenAt = dataUpdatedAt - (data?.ageMs ?? 0);

  return (
    <section
      className="panel progress"
      aria-labelledby="progress-title"
      data-testid="progress"
      data-stale={data?.stale ?? false}
    >
      <h2 id="progress-title" className="progress-kicker">
        Job
      </h2>
      <p className="progress-label" data-testid="progress-label">
        {value ? value.label : <Waiting error={error} known={data !== undefined} />}
      </p>
      <p className="progress-percent" data-testid="progress-percent">
        {value ? percent : '\u2013'}
        <span className="progress-unit">%</span>
      </p>
      <div
        className="bar"
        role="progressbar"
        aria-labelledby="progress-title"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={value ? `${value.label}, ${percent} percent` : 'not known yet'}
      >
        <span className="bar-fill" style={{ transform: `scaleX(${percent / 100})` }} />
      </div>
      <p className="progress-meta">
        <span>{value ? `Step ${value.step}` : '\u00a0'}</span>
        {data?.stale ? (
          <span className="badge badge-warn" data-testid="stale">
            Stale, last known {ago(takenAt, now)}
          </span>
        ) : (
          <span className="muted">polled by the server, pushed on change</span>
        )}
      </p>
    </section>
  );
}

function Waiting({ error, known }: { error: Error | null; known: boolean }) {
  if (error instanceof HttpError && error.status === 404) return <span className="muted">No API is polled</span>;
  if (error) return <span className="muted">{explain(error)}</span>;
  return <span className="muted">{known ? 'The polled API has not answered yet' : '\u00a0'}</span>;
}
