// The page of the benchmark. Everybody takes a turn in each round, so that a busy machine is busy for all, and the best round counts.
import { type Deliver, deliveries, httpFeed, localFeed } from './delivery';
import { type Parse, parsers } from './parsers';
import { type Workload, workloads } from './workload.mjs';

/** Milliseconds of the best round: workload, who. */
type Times = Record<string, Record<string, number>>;

async function best(rounds: number, contestants: Record<string, Parse | Deliver>, workload: Workload) {
  const times: Record<string, number> = {};
  const broken = new Set<string>();
  for (let round = 0; round < rounds; round++) {
    for (const [who, work] of Object.entries(contestants)) {
      if (broken.has(who)) continue;
      const start = performance.now();
      try {
        await work(workload);
      } catch (thrown) {
        console.warn(`${who}: ${thrown}`);
        broken.add(who);
        continue;
      }
      times[who] = Math.min(times[who] ?? Number.POSITIVE_INFINITY, performance.now() - start);
      await new Promise((done) => setTimeout(done, 5));
    }
  }
  return times;
}

/** Every parser must see the same events, or its speed means nothing. */
function check(parse: Record<string, Parse>, workload: Workload): void {
  for (const who of ['eventsource-parser', 'fetch-event-source', 'our decoder', 'our client']) {
    // Hello and end are events too; our client keeps hello to itself, and nobody subscribed to the end.
    const wanted = who === 'our client' ? workload.events : workload.events + 2;
    const seen = parse[who]?.(workload);
    if (seen !== wanted) throw new Error(`${who} saw ${seen} events of ${wanted}: ${workload.name}`);
  }
}

async function bench(
  rounds: number,
): Promise<{ times: Record<string, Times>; sizes: Record<string, [number, number]> }> {
  const all = workloads();
  const parse = await parsers();
  const inPage = await deliveries(localFeed(all));
  const overHttp = await deliveries(httpFeed(all));
  const parsed: Times = {};
  const streamed: Times = {};
  const requested: Times = {};
  for (const workload of all) {
    check(parse, workload);
    const { name } = workload;
    parsed[name] = await best(rounds, parse, workload);
    streamed[name] = await best(rounds, inPage, workload);
    // Chunks do not survive the network.
    if (!workload.tiny) requested[name] = await best(rounds, overHttp, workload);
  }
  const sizes = all.map(({ name, bytes, events }) => [name, [bytes.length, events]] as [string, [number, number]]);
  const times = { parse: parsed, stream: streamed, http: requested };
  return { times, sizes: Object.fromEntries(sizes) };
}

// For the runner, which calls it by name.
Object.assign(globalThis, { bench });
