// The bar at the top: product, connection, user.
import { useSSEStatus } from 'tinysse/react';
import { sse } from '../sse';
import { trpc } from '../trpc';

const LABEL = {
  idle: 'Idle',
  connecting: 'Connecting',
  open: 'Live',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  paused: 'Paused',
  failed: 'Failed',
} as const;

export function TopBar() {
  const status = useSSEStatus((snapshot) => snapshot.status);
  const me = trpc.authentication.me.useQuery();
  const utils = trpc.useUtils();
  const logOut = trpc.authentication.logOut.useMutation({
    onSuccess: async () => {
      await sse.forget();
      await utils.invalidate();
    },
  });
  return (
    <header className="topbar">
      <h1 className="wordmark">tinysse × tRPC</h1>
      <p className="pill" data-testid="status" data-status={status}>
        <span className="pill-dot" aria-hidden="true" />
        <span role="status">{LABEL[status]}</span>
      </p>
      {me.data && (
        <>
          <span className="account-name" data-testid="me">
            {me.data}
          </span>
          <button type="button" className="quiet" onClick={() => logOut.mutate()} data-testid="log-out">
            Log out
          </button>
        </>
      )}
    </header>
  );
}
