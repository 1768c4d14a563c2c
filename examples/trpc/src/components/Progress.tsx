// The polled job: notified when its API answers something else, and when its value became stale.
import { useAutoRefetch } from 'tinysse/react';
import { trpc } from '../trpc';

export function Progress() {
  const { data } = useAutoRefetch(trpc.progress.get.useQuery(), 'progress');
  const restart = trpc.progress.restart.useMutation();
  const percent = data?.value?.percent ?? 0;
  return (
    <section className="panel progress" aria-labelledby="job" data-testid="progress" data-stale={data?.stale ?? false}>
      <h2 id="job" className="progress-kicker">
        Job
      </h2>
      <p className="progress-label" data-testid="label">
        {data?.value?.label ?? 'waiting for the polled API'}
      </p>
      <p className="progress-percent" data-testid="percent">
        {percent}
        <span className="progress-unit">%</span>
      </p>
      <div
        className="bar"
        role="progressbar"
        aria-label="Job"
        aria-valuenow={percent}
        aria-valuemin={0}
        aria-valuemax={100}
      >
        <div className="bar-fill" style={{ transform: `scaleX(${percent / 100})` }} />
      </div>
      <p className="progress-meta">
        <span>Step {data?.value?.step ?? 0}</span>
        {data?.stale && <span className="badge badge-warn">Stale, the API does not answer</span>}
        <button type="button" className="link" onClick={() => restart.mutate()} data-testid="restart">
          Restart
        </button>
      </p>
    </section>
  );
}
