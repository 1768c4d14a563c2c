// One stream, received by several clients: what each makes of it.
import { clients, type Failure } from './clients';

type Received = readonly [type: string, data: string, id: string];

interface Told {
  readonly events: Received[];
  readonly failures: Failure[];
}

/** Our clients hand out JSON as what it means; text and what it means are compared. */
function meaning(data: unknown): string {
  let value = data;
  try {
    if (typeof data === 'string') value = JSON.parse(data);
  } catch {
    // Text it is.
  }
  const text = JSON.stringify(value);
  return text.length < 1000 ? text : `${text.length} characters, ${hash(text)}`;
}

/** FNV-1a. */
function hash(text: string): string {
  let sum = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) sum = Math.imul(sum ^ text.charCodeAt(i), 0x01000193);
  return (sum >>> 0).toString(16);
}

/** Listens until the stream's second connection sends `end`, or the client gives up, or time is over. */
async function hear(client: string, url: string, types: readonly string[], patience: number): Promise<Told> {
  const told: Told = { events: [], failures: [] };
  let close: (() => void) | undefined;
  await new Promise<void>((done) => {
    const timer = setTimeout(done, patience);
    const finish = () => {
      clearTimeout(timer);
      done();
    };
    const app = {
      url,
      types: [...types, 'end'],
      token: () => 't',
      heard(type: string, data: unknown, id: string): void {
        if (type === 'end') finish();
        else told.events.push([type, meaning(data), id]);
      },
      failed(failure: Failure): void {
        told.failures.push(failure);
        if (failure.over) finish();
      },
    };
    clients[client]?.(app).then(
      (closing) => {
        close = closing;
      },
      (thrown) => {
        told.failures.push({ code: String(thrown), over: true });
        finish();
      },
    );
  });
  close?.();
  return told;
}

// For the runner, which calls it by name.
Object.assign(globalThis, { hear });
