// The login: two users, no password.
import { trpc } from '../trpc';

export function Login() {
  const utils = trpc.useUtils();
  const logIn = trpc.authentication.logIn.useMutation({ onSuccess: () => utils.invalidate() });
  return (
    <section className="strip" aria-label="Log in" data-testid="login">
      <p className="strip-note">Log in as</p>
      {['ada', 'bob'].map((user) => (
        <button
          key={user}
          type="button"
          className="primary"
          onClick={() => logIn.mutate({ user })}
          data-testid={`as-${user}`}
        >
          {user}
        </button>
      ))}
      <p className="strip-note" role="status">
        {logIn.error ? logIn.error.message : 'An example: no password.'}
      </p>
    </section>
  );
}
