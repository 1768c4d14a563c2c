// The banner that explains why the client gave up, with the way out.
import type { SseError } from 'tinysse';
import { useSSEStatus } from 'tinysse/react';
import { sse } from '../sse';

const TOLD: Record<SseError['code'], string> = {
  unauthorized: 'The server does not accept this session any more. Sign in again to go on.',
  token: 'The server gave no token for the stream.',
  user: 'Another user is signed in with this browser. Sign in again to go on.',
  network: 'The server could not be reached.',
  http: 'The server refused the stream.',
  protocol: 'The server answered with something that is not an event stream.',
  csp: 'The content security policy of this page forbids WebAssembly; it needs wasm-unsafe-eval.',
  wasm: 'The client could not be loaded.',
  options: 'The client was set up wrongly.',
  overflow: 'An update was larger than the limit, or came faster than it was read.',
};

/** Shown when the client gave up for good: what happened, and the way out. */
export function FailedBanner() {
  const failed = useSSEStatus((s) => s.status === 'failed');
  const error = useSSEStatus((s) => s.error);
  if (!failed) return null;
  return (
    <div className="banner" role="alert" data-testid="failed">
      <div className="banner-text">
        <p className="banner-title">Live updates have stopped</p>
        <p>{error ? TOLD[error.code] : 'The connection was given up.'}</p>
        {error && (
          <p className="banner-detail">
            <code>{error.code}</code>
            {error.status !== undefined && <code>{error.status}</code>}
            <span>{error.message}</span>
          </p>
        )}
      </div>
      <button type="button" className="primary" onClick={() => sse.reconnect()} data-testid="banner-reconnect">
        Reconnect
      </button>
    </div>
  );
}
