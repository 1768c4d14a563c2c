// The light, dark or system theme.
import { useState } from 'react';
import { storage } from './storage';

export type Theme = 'system' | 'light' | 'dark';

const KEY = 'tinysse.theme';
const NEXT: Record<Theme, Theme> = { system: 'light', light: 'dark', dark: 'system' };

/** The chosen theme and the way to the next one. `public/theme.js` applies a stored choice before the first paint. */
export function useTheme(): { theme: Theme; next: Theme; cycle: () => void } {
  const [theme, setTheme] = useState<Theme>(chosen);
  const next = NEXT[theme];
  const cycle = () => {
    if (next === 'system') {
      delete document.documentElement.dataset.theme;
      storage.set(KEY, null);
    } else {
      document.documentElement.dataset.theme = next;
      storage.set(KEY, next);
    }
    setTheme(next);
  };
  return { theme, next, cycle };
}

function chosen(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === 'light' || theme === 'dark' ? theme : 'system';
}
