// The buttons that disturb the connection: storm, cut, expired token.
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useSSEStatus } from 'tinysse/react';
import { dev } from '../api';
import { explain, HttpError } from '../http';
import { say } from '../notice';
import { sse } from '../sse';

const HINTS = {
  storm: 'A hundred updates at once. Watch how few requests they cost.',
  cut: 'Breaks the TCP connection. The browser retries, the hub replays what was missed.',
  expire: 'The hub now refuses the token of this stream. Cut the line: the client gets another.',
  pause: 'Lets go of the stream and keeps the cursor. Resume, and what was missed is replayed.',
  reconnect: 'Closes the stream and opens another with a new token.',
} as const;
type Action = keyof typeof HINTS;
const REST = 'Break it on purpose. Nothing is lost without being announced.';

/** Ways to disturb the connection, each explained while it is pointed at. */
export function Controls() {
  const status = useSSEStatus((s) => s.status);
  const [hint, setHint] = useState<Action | null>(null);
  const disturb = useMutation({
    mutationFn: (run: () => Promise<unknown>) => run(),
    onError: (error) =>
      say(
        error instanceof HttpError && error.status === 404
          ? 'Only a server started with --dev does that.'
          : explain(error),
      ),
  });
  // The id is read at the click: a rotated stream has another one.
  const onStream = (run: (client: string) => Promise<unknown>) => () => {
    const { clientId } = sse.getSnapshot();
    if (clientId) disturb.mutate(() => run(clientId));
  };

  const button = (action: Action, label: string, run: () => void, enabled = true) => (
    <button
      type="button"
      className={action === 'storm' ? 'primary' : 'secondary'}
      disabled={!enabled}
      onClick={run}
      onPointerEnter={() => setHint(action)}
      onPointerLeave={() => setHint(null)}
      onFocus={() => setHint(action)}
      onBlur={() => setHint(null)}
      data-testid={`btn-${action}`}
    >
      {label}
    </button>
  );

  const open = status === 'open';
  const paused = status === 'paused';
  return (
    <section className="controls" aria-label="Disturb the connection">
      <div className="buttons">
        {button('storm', 'Send 100 updates', () => disturb.mutate(() => dev.storm(100)))}
        {button('cut', 'Cut connection', onStream(dev.cut), open)}
        {button('expire', 'Expire token', onStream(dev.expire), open)}
        {button('pause', paused ? 'Resume' : 'Pause', () => (paused ? sse.resume() : sse.pause()), status !== 'failed')}
        {button('reconnect', 'Reconnect', () => sse.reconnect())}
      </div>
      <p className="hint">{hint ? HINTS[hint] : REST}</p>
    </section>
  );
}
