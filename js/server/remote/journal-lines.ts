// The lines of a journal: one event each, with a checksum. Pure.
import { Debts, type Types } from './debts.js';

/** What a journal had when it was opened, or has to have when it is written anew. */
export interface Restored {
  /** Updates that were accepted and not acknowledged, oldest first. */
  readonly entries: readonly { readonly number: number; readonly type: string; readonly json: string }[];
  /** Types that are to be announced. */
  readonly debts: Types;
  /** The batch that was on its way, with the number of its last update. */
  readonly batch?: { readonly key: string; readonly last: number } | undefined;
  /** The last number that was given. */
  readonly last: number;
}

/** An event of a journal. */
export type JournalEvent =
  /** The first line of each file: the version of the format. */
  | { readonly journal: 1 }
  /** An update was accepted. */
  | { readonly accepted: number; readonly type: string; readonly json: string }
  /** A batch is about to be sent. */
  | { readonly batch: string; readonly last: number }
  /** All updates up to this number are settled. */
  | { readonly done: number }
  /** A type is to be announced; `null` for all. */
  | { readonly owed: string | null }
  /** An announcement was published; these types are still to be announced. */
  | { readonly announced: Types };

/** The first event. */
export const HEADER: JournalEvent = { journal: 1 };

/** Writes an event as a line. */
export function lineOf(event: JournalEvent): string {
  const json = JSON.stringify(event);
  return `${checksum(json)} ${json}\n`;
}

/** Writes the lines of a whole journal. */
export function linesOf({ entries, debts, batch, last }: Restored): string {
  const events: JournalEvent[] = [HEADER];
  // The numbers go on behind the last one that was given.
  const before = entries[0] ? entries[0].number - 1 : last;
  if (before > 0) events.push({ done: before });
  for (const { number, type, json } of entries) events.push({ accepted: number, type, json });
  for (const owed of debts ?? [null]) events.push({ owed });
  if (batch) events.push({ batch: batch.key, last: batch.last });
  return events.map(lineOf).join('');
}

/**
 * Reads the lines of a journal. What is behind the last line end was cut by the end of a process,
 * and is left out. Returns `undefined` for a journal in which another line is damaged.
 */
export function readLines(text: string): Restored | undefined {
  const rows = text.split('\n');
  rows.pop();
  const events = rows.map(eventOf);
  if (events.length > 0 && !(events[0] && 'journal' in events[0])) return undefined;
  return events.every((event) => event !== undefined) ? replay(events) : undefined;
}

function replay(events: readonly JournalEvent[]): Restored {
  const entries: { number: number; type: string; json: string }[] = [];
  const debts = new Debts();
  let batch: { key: string; last: number } | undefined;
  let [last, settled] = [0, 0];
  for (const event of events) {
    if ('accepted' in event) {
      entries.push({ number: event.accepted, type: event.type, json: event.json });
      last = Math.max(last, event.accepted);
    } else if ('batch' in event) batch = { key: event.batch, last: event.last };
    else if ('done' in event) {
      settled = Math.max(settled, event.done);
      last = Math.max(last, event.done);
      batch = undefined;
    } else if ('owed' in event) debts.add(event.owed);
    else if ('announced' in event) {
      debts.take();
      debts.addAll(event.announced);
    }
  }
  return { entries: entries.filter(({ number }) => number > settled), debts: debts.types, batch, last };
}

function eventOf(row: string): JournalEvent | undefined {
  if (row.length < 10 || row[8] !== ' ' || checksum(row.slice(9)) !== row.slice(0, 8)) return undefined;
  try {
    return JSON.parse(row.slice(9)) as JournalEvent;
  } catch {
    return undefined;
  }
}

/** FNV-1a over UTF-16 units: finds a line that was cut or mixed with another. */
function checksum(text: string): string {
  let hash = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x0100_0193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}
