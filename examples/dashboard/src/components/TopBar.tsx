// The bar at the top: product, connection, user, theme.
import type { Person } from '../session';
import { useTheme } from '../theme';
import { Icon } from './Icon';
import { StatusPill } from './StatusPill';

interface Props {
  person: Person | null;
  signInOpen: boolean;
  onSignIn: () => void;
}

/** Name, state of the connection, who is here, theme. */
export function TopBar({ person, signInOpen, onSignIn }: Props) {
  const { theme, next, cycle } = useTheme();
  return (
    <header className="topbar">
      <h1 className="wordmark">
        <Icon name="mark" />
        tinysse
      </h1>
      <StatusPill />
      <button
        type="button"
        className="quiet account"
        aria-expanded={signInOpen}
        aria-controls="sign-in"
        onClick={onSignIn}
        data-testid="account"
      >
        <span className="account-name">{person?.user ?? 'Sign in'}</span>
        {person?.role && <span className="account-role">{person.role}</span>}
        <Icon name="chevron" />
      </button>
      <button
        type="button"
        className="quiet icon-button"
        aria-label={`Theme: ${theme}. Change to ${next}`}
        title={`Theme: ${theme}`}
        onClick={cycle}
        data-testid="theme"
      >
        <Icon name={theme} />
      </button>
    </header>
  );
}
