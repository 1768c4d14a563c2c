// Who is logged in, by the updates of the type `authentication`.
import { useAutoRefetch } from 'tinysse/react';
import { trpc } from '../trpc';

export function Online() {
  const { data } = useAutoRefetch(trpc.authentication.online.useQuery(), 'authentication');
  return (
    <p className="muted" data-testid="online">
      Logged in: {data?.join(', ') || 'no user'}
    </p>
  );
}
