// The form to sign in as a user with a role.
import { type FormEvent, useId } from 'react';
import { explain, HttpError } from '../http';
import { useSignIn, useSignOut } from '../queries';
import type { Person } from '../session';

const ROLES = ['member', 'admin'];

interface Props {
  person: Person | null;
  /** Why nobody is signed in, if that went wrong by itself. */
  error: Error | null;
  onDone: () => void;
}

/** The development sign-in: a name and a role, no password. The page remembers them. */
export function SignIn({ person, error, onDone }: Props) {
  const id = useId();
  const signIn = useSignIn();
  const signOut = useSignOut();
  const role = person?.role || 'member';
  const wrong = signIn.error ?? signOut.error ?? error;

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const user = String(form.get('user')).trim();
    if (user) signIn.mutate({ user, role: String(form.get('role')) }, { onSuccess: onDone });
  };

  return (
    <form className="strip" id="sign-in" onSubmit={submit} data-testid="login-form" aria-label="Sign in">
      <label htmlFor={`${id}user`}>Name</label>
      <input
        id={`${id}user`}
        name="user"
        className="field"
        defaultValue={person?.user ?? ''}
        maxLength={40}
        autoComplete="username"
        autoCapitalize="none"
        spellCheck={false}
        required
        data-testid="login-user"
      />
      <label htmlFor={`${id}role`}>Role</label>
      <select id={`${id}role`} name="role" className="field" defaultValue={role} data-testid="login-role">
        {[...new Set([...ROLES, role])].map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <button type="submit" className="primary" disabled={signIn.isPending} data-testid="login-submit">
        Sign in
      </button>
      {person && (
        <button type="button" className="quiet" onClick={() => signOut.mutate()} data-testid="sign-out">
          Sign out
        </button>
      )}
      <p className="strip-note" role="status">
        {wrong ? told(wrong) : 'For development: any name, no password.'}
      </p>
    </form>
  );
}

const told = (error: Error) =>
  error instanceof HttpError && error.status === 404
    ? 'This server has no development sign-in; start it with --dev.'
    : explain(error);
