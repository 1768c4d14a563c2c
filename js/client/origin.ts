// The name of this tab, which updates carry as their origin.
let tab: string | undefined;

/**
 * The name of this tab, 22 random characters. Not stored: a duplicated tab would inherit it, and
 * miss its twin's changes.
 */
export function originOfTab(): string {
  tab ??= random();
  return tab;
}

function random(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .slice(0, 22)
    .replace(/\W/g, '_');
}
