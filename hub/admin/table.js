// Rows of tables. Texts only: whatever a user or an update is called, it is never markup.

/**
 * Makes `body` show `rows`, one line each. Lines that stay are kept, so that a selection or the reader's place does not go away.
 * @template T
 * @param {HTMLTableSectionElement} body
 * @param {T[]} rows
 * @param {(row: T) => string} key
 * @param {(row: T) => { text: string, small?: string, look?: string, title?: string }[]} cells
 */
export function fill(body, rows, key, cells) {
  const known = new Map([...body.rows].map((line) => [line.dataset.key, line]));
  let place = body.firstElementChild;
  for (const row of rows) {
    const name = key(row);
    const line = known.get(name) ?? made(name);
    known.delete(name);
    write(line, cells(row));
    if (line === place) {
      place = place.nextElementSibling;
    } else {
      body.insertBefore(line, place);
    }
  }
  for (const gone of known.values()) {
    gone.remove();
  }
}

function made(name) {
  const line = document.createElement('tr');
  line.dataset.key = name;
  return line;
}

function write(line, cells) {
  cells.forEach(({ text, small = '', look = '', title = text }, column) => {
    const cell = line.cells[column] ?? line.insertCell();
    const shown = `${text}\n${small}`;
    if (cell.dataset.shown === shown && cell.className === look) {
      return;
    }
    cell.dataset.shown = shown;
    cell.className = look;
    cell.title = title;
    cell.replaceChildren(text);
    if (small !== '') {
      const more = document.createElement('span');
      more.className = 'soft';
      more.textContent = small;
      cell.append(' ', more);
    }
  });
}

// As the log of a server has it, and as wide in every row.
const clock = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
const digits = new Intl.NumberFormat();

/** The time of day. */
export const time = (ms) => clock.format(ms);

/** With the day. */
export const date = (ms) => day.format(ms);

/** With separators. */
export const number = (n) => digits.format(n);

/** How long it has been, in the largest unit that fits. */
export function ago(ms, now) {
  const seconds = Math.max(0, Math.round((now - ms) / 1000));
  if (seconds < 60) {
    return `${seconds} s`;
  }
  return seconds < 3600 ? `${Math.floor(seconds / 60)} min` : `${Math.floor(seconds / 3600)} h`;
}
