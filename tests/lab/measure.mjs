// What one client did in one scenario, and what is wrong with it.

/** No bound is for less: a timer of a browser may fire a fraction of a millisecond early. */
const floor = 249;
/** DESIGN, figures: connects in 15 s in any failure scenario. */
export const most = 20;

export function measure({ scenario, booth, seen, ping, window }) {
  const [first] = booth.connects;
  // What begins in the window; a loaded machine closes the client a little later.
  const connects = booth.connects.filter(({ at }) => at - first.at <= window);
  const gaps = connects.slice(1).map(({ at }, index) => at - connects[index].at);
  // A question for the status of a refusal is a connect, but no attempt: it may come at once.
  const waits = gaps.filter((_gap, index) => !connects[index + 1].question);
  const copies = scenario.copies ?? 1;
  const heard = new Set(seen.events);
  // A client that received nothing has no id to give.
  const wrong = connects.filter(({ id, right, question }) => !question && (heard.size === 0 ? id !== 0 : !right));
  const lost = [];
  for (let n = (booth.begins ?? 0) + 1; n < Math.max(0, ...heard); n++) if (!heard.has(n)) lost.push(n);
  return {
    broken: seen.broken,
    connects: connects.length,
    /** The most connects in any 15 s. */
    dense: Math.max(...connects.map(({ at }) => connects.filter((one) => one.at >= at && one.at < at + 15_000).length)),
    gaps: gaps.map(Math.round),
    quick: copies > 1 ? 0 : waits.filter((gap) => gap < floor).length,
    early: scenario.wait ? waits.filter((gap) => gap < scenario.wait - 1).length : 0,
    wrongIds: wrong.map(({ id, told }) => `${id} for ${told}`),
    direct: connects.filter(({ direct }) => direct).length,
    events: seen.events.length,
    lost,
    doubled: seen.events.filter((n, index) => seen.events.indexOf(n) !== index),
    disordered: seen.events.some((n, index) => index > 0 && n < seen.events[index - 1]),
    asks: seen.asks,
    statuses: [...new Set(seen.failures.map(({ status }) => status).filter(Boolean))],
    codes: [...new Set(seen.failures.map(({ code }) => code).filter(Boolean))],
    typed: scenario.status === undefined || seen.failures.some(({ status }) => status === scenario.status),
    over: seen.failures.filter(({ over }) => over).length >= copies,
    leaks: booth.leaks,
    cancelled: booth.cancelled,
    ping,
  };
}

/** Every promise of tinysse that was not kept. */
export function faults(found, scenario, kind) {
  const wanted = scenario.wanted[kind];
  const wrong = [];
  const must = (good, text) => good || wrong.push(text);
  must(!found.broken, `it could not be made: ${found.broken}`);
  const [least, limit] = wanted.connects;
  must(found.connects >= least && found.connects <= limit, `${found.connects} connects, not ${least} to ${limit}`);
  const limitOfAll = most * (scenario.copies ?? 1);
  must(found.dense <= limitOfAll, `${found.dense} connects in 15 s`);
  must(found.quick <= (wanted.quick ?? 0), `${found.quick} connects below the floor: gaps ${found.gaps}`);
  must(found.early === 0, `came back before Retry-After: gaps ${found.gaps}`);
  must(found.wrongIds.length === 0, `wrong Last-Event-ID: ${found.wrongIds}`);
  must(found.events >= (wanted.events ?? 0), `${found.events} events, not ${wanted.events}`);
  must(found.lost.length === 0, `lost ${found.lost}`);
  must(found.doubled.length === 0, `doubled ${found.doubled}`);
  must(!found.disordered, 'events out of order');
  must(found.asks <= (wanted.asks ?? Number.POSITIVE_INFINITY), `${found.asks} tokens asked for`);
  must(found.typed, `status ${scenario.status} is not reported, only ${found.statuses}`);
  must(wanted.code === undefined || found.codes.includes(wanted.code), `no code ${wanted.code}, only ${found.codes}`);
  must(wanted.over !== true || found.over, 'it did not report that it gave up');
  must(wanted.over !== false || !found.over, 'it gave up');
  must(found.leaks === 0, `${found.leaks} tokens went to another origin`);
  must(wanted.direct === undefined || found.direct <= wanted.direct, `${found.direct} went past the first address`);
  must(!wanted.ping || found.ping, 'the next request was blocked');
  return wrong;
}

/** A cell of the table: connects, and marks for what is wrong by `marks`. */
export function cell(found, scenario) {
  if (!found) return '';
  if (found.broken) return 'n/a';
  const signs = [
    found.dense > most * (scenario.copies ?? 1) && '!',
    found.early > 0 && 'e',
    found.wrongIds.length > 0 && 'i',
    found.lost.length > 0 && `L${found.lost.length}`,
    found.doubled.length > 0 && `D${found.doubled.length}`,
    !found.typed && 'u',
    found.leaks > 0 && 't',
    found.ping === false && 'b',
  ];
  const marks = signs.filter(Boolean).join(' ');
  const heard = scenario.status === undefined || found.events > 0 ? ` (${found.events})` : '';
  return `${found.connects}${heard}${marks && ` **${marks}**`}`;
}

export const marks =
  'A number is connects, in brackets events heard. **!** more than 20 connects in 15 s · **e** came before `Retry-After` · ' +
  '**i** wrong `Last-Event-ID` · **L** events lost · **D** events doubled · **u** the status was not told · ' +
  '**t** a token went to another origin · **b** the next request of that origin was blocked';
