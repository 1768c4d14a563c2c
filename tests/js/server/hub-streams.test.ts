// Tests of the streams of the hub in Node: rounds, back-pressure, deadlines, and a hub that fails.
import { describe, expect, it } from 'vitest';
import { HubInstance } from '../../../js/server/hub/instance.js';
import { instantiate } from '../../../js/server/hub/module.js';
import { ask, codeOf, FakeSink, hubOf, streamsOf } from './hub-support.js';

describe('rounds', () => {
  it('give a hello, then each update once, as one write for a stream and round', () => {
    const { timers, open, publish } = streamsOf();
    const ada = open('ada');
    const bob = open('bob');
    timers.settle();
    expect([ada.types, ada.writes]).toEqual([['tinysse.hello'], 1]);
    for (const type of ['a', 'b', 'c']) publish(type);
    publish('d', { to: ['user:bob'] });
    timers.settle();
    expect([ada.types.slice(1), ada.writes]).toEqual([['a', 'b', 'c'], 2]);
    expect([bob.types.slice(1), bob.writes]).toEqual([['a', 'b', 'c', 'd'], 2]);
  });

  it('reach no stream that left, and another stream in its slot gets nothing of it', () => {
    const { streams, timers, open, publish } = streamsOf();
    const ada = open('ada');
    timers.settle();
    publish('secret', { to: ['user:ada'] });
    ada.leave();
    const bob = open('bob');
    timers.settle();
    expect([ada.types, bob.types]).toEqual([['tinysse.hello'], ['tinysse.hello']]);
    expect([streams.count, streams.countOf('ada'), streams.countOf('bob')]).toEqual([1, 0, 1]);
  });

  it('serve more streams than one round takes', () => {
    const { timers, open, publish } = streamsOf();
    const sinks = Array.from({ length: 2_500 }, (_, n) => open(`u${n}`));
    timers.settle();
    publish('a');
    timers.settle();
    expect(sinks.every(({ types }) => types.join() === 'tinysse.hello,a')).toBe(true);
  });

  it('rest for as long as they took, so that what is published meanwhile is joined', () => {
    const { timers, open, publish } = streamsOf();
    const ada = open('ada');
    timers.settle();
    timers.cost = 10;
    publish('a');
    timers.settle();
    timers.cost = 0;
    for (const type of ['b', 'c', 'd']) {
      publish(type);
      timers.advance(1);
    }
    expect(ada.types.at(-1)).toBe('a');
    timers.advance(50);
    expect([ada.types.slice(1), ada.writes]).toEqual([['a', 'b', 'c', 'd'], 3]);
  });
});

describe('a connection that takes no bytes', () => {
  it('gets nothing until it takes bytes again, then all of it', () => {
    const { timers, open, publish } = streamsOf();
    const ada = open('ada');
    ada.open = false;
    timers.settle();
    for (let n = 0; n < 200; n++) publish('a');
    timers.settle();
    expect(ada.types).toEqual(['tinysse.hello']);
    ada.drain();
    timers.advance(100);
    expect(ada.types.length).toBe(201);
  });

  it('is cut when it took none for too long', () => {
    const { streams, timers, open } = streamsOf({ stallTimeout: 1_000 });
    const ada = open('ada');
    ada.open = false;
    timers.settle();
    timers.advance(900);
    expect(ada.state).toBe('open');
    timers.advance(600);
    expect([ada.state, streams.count]).toEqual(['cut', 0]);
  });

  it('is cut by the rule of a type once too much waits', () => {
    const { timers, open, publish } = streamsOf({ slowLag: 2, slowRules: [['*', 'disconnect']] });
    const ada = open('ada');
    ada.open = false;
    timers.settle();
    for (let n = 0; n < 3; n++) {
      publish('a');
      timers.settle();
    }
    expect(ada.state).toBe('cut');
  });
});

describe('deadlines', () => {
  it('need one timer for all streams', () => {
    const { timers, open } = streamsOf();
    for (let n = 0; n < 100; n++) open(`u${n}`);
    timers.settle();
    expect(timers.waiting).toBe(1);
    expect(timers.next).toBeGreaterThanOrEqual(15_000);
    expect(timers.next).toBeLessThanOrEqual(15_250);
  });

  it('give beats to silent streams', () => {
    const { timers, open } = streamsOf({ heartbeat: 1_000 });
    const ada = open('ada');
    timers.settle();
    timers.advance(5_400);
    expect(ada.types.slice(1)).toEqual(Array.from({ length: 5 }, () => 'tinysse.beat'));
  });

  it('end streams behind a bye', () => {
    const { streams, timers, open } = streamsOf({ linger: 200 });
    const ada = open('ada');
    timers.settle();
    for (const stream of streams.all()) streams.bye(stream, 'drain', 10, 20);
    timers.settle();
    expect(ada.text).toContain('event: tinysse.bye\ndata: reason=drain&wait=10');
    expect(ada.state).toBe('open');
    timers.advance(600);
    expect([ada.state, streams.count]).toEqual(['ended', 0]);
  });

  it('publish what windows held', () => {
    const { timers, flushed, open, publish } = streamsOf({ windows: [['a', 100]] });
    const ada = open('ada');
    timers.settle();
    expect(
      [publish('a'), publish('a', { data: '1' }), publish('a', { data: '2' })].map((out) => 'held' in out),
    ).toEqual([false, true, true]);
    timers.advance(101);
    expect(flushed).toEqual(['a 2']);
    expect(ada.text).toContain('data: {"data":2}');
    expect(ada.types).toEqual(['tinysse.hello', 'a', 'a']);
  });
});

describe('refusals', () => {
  it('have the codes of the Rust server', () => {
    const { streams, publish, open } = streamsOf({ maxBytes: 2_000 });
    expect(codeOf(() => publish('a b'))).toBe('bad_type');
    expect(codeOf(() => publish('tinysse.x'))).toBe('reserved_type');
    expect(codeOf(() => publish('a', { to: [] }))).toBe('bad_audience');
    expect(codeOf(() => publish('a', { to: ['ada'] }))).toBe('bad_audience');
    expect(codeOf(() => publish('a', { key: 'x'.repeat(256) }))).toBe('bad_field');
    expect(codeOf(() => publish('a', { data: `"${'x'.repeat(3_000)}"` }))).toBe('update_too_large');
    expect(codeOf(() => open('ada', { types: 'a,,b' }))).toBe('bad_types');
    expect(codeOf(() => streams.read((hub) => hub.checkTypes('a,')))).toBe('bad_types');
    expect(streams.count).toBe(0);
  });
});

/** Runs into a trap of WebAssembly: an instance without a hub has nothing to answer with. */
function trap(): never {
  instantiate().cursor();
  throw new Error('no trap');
}

/** A hub that runs into a trap when it is to publish. */
class Failing extends HubInstance {
  override publish(): never {
    trap();
  }
}

/** A hub that runs into a trap where no caller would notice. */
class FailingQuietly extends HubInstance {
  override disconnect(): never {
    trap();
  }
}

describe('a hub that fails', () => {
  it('is replaced by one with another epoch; its streams are cut and come back to that', () => {
    let made = 0;
    const { streams, timers, seen, open, publish } = streamsOf({}, (of) => {
      made += 1;
      return made === 1 ? new Failing(of, [0, 77], [0, 1]) : hubOf(of);
    });
    const ada = open('ada');
    timers.settle();
    const before = streams.read((hub) => hub.cursor());
    expect(codeOf(() => publish('a'))).toBe('hub_failed');
    expect([ada.state, streams.count, seen.renewed]).toEqual(['cut', 0, 1]);
    const again = open('ada', { cursor: before });
    timers.settle();
    expect(again.text).toContain('gap=epoch');
    publish('a');
    timers.settle();
    expect(again.types).toEqual(['tinysse.hello', 'a']);
    // The client of the former stream goes away later.
    ada.leave();
    expect(streams.count).toBe(1);
  });
});

describe('a hub that fails when a client leaves', () => {
  it('reports that, ends no process, and is replaced', () => {
    let made = 0;
    const { streams, timers, errors, open } = streamsOf({}, (of) => {
      made += 1;
      return made === 1 ? new FailingQuietly(of, [0, 78], [0, 1]) : hubOf(of);
    });
    const [ada, bob] = [open('ada'), open('bob')];
    timers.settle();
    ada.leave();
    expect(errors.map(({ code }) => code)).toEqual(['hub_failed']);
    expect([bob.state, streams.count, made]).toEqual(['cut', 0, 2]);
  });
});

describe('an end', () => {
  it('is written to more streams than one round takes', () => {
    const { streams, timers, open } = streamsOf();
    const sinks = Array.from({ length: 1_500 }, (_, n) => open(`u${n}`));
    timers.settle();
    for (const stream of streams.all()) streams.bye(stream, 'drain', 10, 10);
    streams.flush();
    expect(sinks.every(({ types }) => types.at(-1) === 'tinysse.bye')).toBe(true);
  });
});

describe('rights', () => {
  it('that change while a stream is open are announced', () => {
    const { streams, timers, open, publish } = streamsOf();
    const ada = open('ada');
    timers.settle();
    const [stream] = [...streams.all()];
    const rights = { user: 'ada', role: 'admin', channels: ['ops.>'] };
    expect(stream && streams.setRights(stream, rights)).toBe(true);
    expect(stream && streams.setRights(stream, rights)).toBe(false);
    publish('a', { to: ['channel:ops.eu'] });
    timers.settle();
    expect(ada.types).toEqual(['tinysse.hello', 'tinysse.resync', 'a']);
  });
});

describe('a sink', () => {
  it('that ends while it is written to does not disturb the round', () => {
    const { streams, timers, open, publish } = streamsOf();
    class Leaving extends FakeSink {
      override write(bytes: Uint8Array): boolean {
        super.write(bytes);
        this.leave();
        return false;
      }
    }
    const leaving = new Leaving();
    streams.open(ask('eve'), leaving, 'eve');
    const ada = open('ada');
    timers.settle();
    publish('a');
    timers.settle();
    expect([ada.types, leaving.types, streams.count]).toEqual([['tinysse.hello', 'a'], ['tinysse.hello'], 1]);
  });
});
