// The state of the connection in one word.
import type { ReactNode } from 'react';
import type { Snapshot, Status } from 'tinysse';
import { useSSEStatus } from 'tinysse/react';
import { useNow } from '../time';

const LABEL: Record<Status, string> = {
  idle: 'Idle',
  connecting: 'Connecting',
  open: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  paused: 'Paused',
  failed: 'Failed',
};

/** The state of the connection in one word, and what comes next. */
export function StatusPill() {
  const status = useSSEStatus((s) => s.status);
  return (
    <p className="pill" data-testid="status" data-status={status}>
      <span className="pill-dot" aria-hidden="true" />
      <span role="status">{LABEL[status]}</span>
      <Detail />
    </p>
  );
}

/** Apart from the label, so that the countdown is seen each second and read aloud never. */
function Detail() {
  const snapshot = useSSEStatus();
  const now = useNow();
  return (
    <span className="pill-detail" aria-hidden="true">
      {detail(snapshot, now)}
    </span>
  );
}

function detail({ status, error, attempt, retryAt }: Snapshot, now: number): ReactNode {
  switch (status) {
    case 'reconnecting':
      // The browser retries by itself at first, and does not report when.
      if (retryAt === null) return attempt > 0 ? `try ${attempt}` : null;
      return (
        <>
          <span className="pill-try">try {attempt} in </span>
          {Math.max(1, Math.ceil((retryAt - now) / 1000))} s
        </>
      );
    case 'failed':
      return error?.code;
    case 'idle':
    case 'connecting':
    case 'open':
    case 'offline':
    case 'paused':
      return null;
  }
}
