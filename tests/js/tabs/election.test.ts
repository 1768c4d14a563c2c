// Tests of the election of a leader among tabs.
import { beforeEach, describe, expect, test } from 'vitest';
import { Browser, Desk, log } from './browser.js';

let browser: Browser;
beforeEach(() => {
  browser = new Browser();
  log.ids = ['e.0'];
});

function publish(count = 1): void {
  for (let n = 0; n < count; n++) {
    log.ids.push(`e.${log.ids.length}`);
    const id = log.head;
    // Of a tab that is stopped too: it reads it when it goes on, if it still has the stream.
    for (const desk of browser.tabs) browser.after(desk, 1, () => desk.opened && desk.stream(['x', id, '{}']));
    browser.run(5);
  }
}

function office(count: number): Desk[] {
  const desks = Array.from({ length: count }, (_, n) => {
    const desk = new Desk(browser, `t${n}`);
    browser.run(50);
    return desk;
  });
  browser.run(200);
  return desks;
}

const roles = (desks: Desk[]) => desks.map(({ tab }) => tab.role);

test('the first leads, the others follow, and all receive everything once and in order', () => {
  const desks = office(4);
  expect(roles(desks)).toEqual(['leader', 'follower', 'follower', 'follower']);
  publish(5);
  browser.run(50);
  const ids = ['e.1', 'e.2', 'e.3', 'e.4', 'e.5'];
  for (const { heard } of desks) expect(heard).toEqual(['resync first', ...ids]);
});

test('a reserved frame that this version does not know is ignored: not passed on, not replayed, not a place', () => {
  const [leader, follower] = office(2) as [Desk, Desk];
  publish(1);
  leader.stream(['tinysse.later', 'e.9', 'x']);
  browser.run(50);
  // It follows from before that frame, so whatever the leader remembers is replayed to it.
  const late = new Desk(browser, 'late');
  late.cursor = 'e.0';
  late.tab.follow(++late.ticket, late.cursor);
  browser.run(200);
  publish(1);
  browser.run(50);
  expect(JSON.stringify(browser.tabs.map(({ said }) => said))).not.toContain('tinysse.later');
  expect(follower.heard).toEqual(['resync first', 'e.1', 'e.2']);
  expect(late.heard).toContain('e.2');
});

test('when the leader dies the next one goes on where it ended', () => {
  const desks = office(4);
  publish(3);
  browser.run(20);
  desks[0]?.die();
  publish(3); // while no tab has a stream
  browser.run(100);
  publish(2);
  browser.run(50);
  expect(roles(desks.slice(1))).toEqual(['leader', 'follower', 'follower']);
  for (const { heard } of desks.slice(1)) expect(heard).toEqual(['resync first', ...log.ids.slice(1)]);
});

test('a leader that stops has the lock taken away within two seconds, by one tab, and follows when it goes on', () => {
  const desks = office(5);
  publish(2);
  browser.run(20);
  const [first, ...others] = desks as [Desk, ...Desk[]];
  first.stopped = true;
  const begun = browser.now;
  while (roles(others).every((role) => role !== 'leader')) browser.run(10);
  expect(browser.now - begun).toBeLessThan(2000);
  browser.run(300);
  publish(3);
  browser.run(3000);
  first.stopped = false;
  browser.run(200);
  publish(2);
  browser.run(100);
  expect(roles(desks).filter((role) => role === 'leader')).toHaveLength(1);
  expect(first.tab.role).toBe('follower');
  expect(others.map(({ leads }) => leads).filter(Boolean), 'one took over').toHaveLength(1);
  for (const { heard } of desks) expect(heard).toEqual(['resync first', ...log.ids.slice(1)]);
});

test('a leader that was only slow makes the others more patient', () => {
  const desks = office(3);
  const [first] = desks as [Desk];
  const stop = (ms: number) => {
    const leader = desks.find(({ tab }) => tab.role === 'leader') as Desk;
    leader.stopped = true;
    browser.run(ms);
    leader.stopped = false;
    browser.run(400);
    return leader;
  };
  expect(stop(1100)).toBe(first);
  expect(first.tab.role, 'deposed').toBe('follower');
  const leader = desks.find(({ tab }) => tab.role === 'leader') as Desk;
  stop(1100);
  expect(leader.tab.role, 'it had a second to answer').toBe('leader');
});

test('leaders that stop for long, one after the other, are each replaced within two seconds', () => {
  const desks = office(4);
  for (let stop = 0; stop < 12; stop++) {
    const leader = desks.find(({ tab }) => tab.role === 'leader') as Desk;
    const others = desks.filter((desk) => desk !== leader);
    leader.stopped = true;
    const begun = browser.now;
    while (roles(others).every((role) => role !== 'leader')) browser.run(10);
    expect(browser.now - begun, `stop ${stop}`).toBeLessThan(2000);
    browser.run(begun + 4000 - browser.now);
    leader.stopped = false;
    browser.run(400);
  }
});

test('patience ends with the first leader that is dead indeed', () => {
  const desks = office(4);
  const stop = (ms: number) => {
    const leader = desks.find(({ tab }) => tab.role === 'leader') as Desk;
    leader.stopped = true;
    browser.run(ms);
    leader.stopped = false;
    browser.run(400);
  };
  stop(1100); // slow: all are patient now
  browser.run(5000);
  stop(6000); // dead, as far as anybody can see
  browser.run(5000);
  const leader = desks.find(({ tab }) => tab.role === 'leader') as Desk;
  leader.stopped = true;
  browser.run(1300);
  expect(roles(desks.filter((desk) => desk !== leader))).toContain('leader');
});

test.each([
  ['', 1000, 5000],
  // Chromium rings them once a minute behind five minutes of that.
  [' for long', 60_000, 240_000],
])('tabs that are all hidden%s replace a leader that stops as well', (_, grid, patience) => {
  const desks = office(4);
  for (const desk of desks) desk.grid = grid;
  browser.run(patience);
  expect(roles(desks)).toEqual(['leader', 'follower', 'follower', 'follower']);
  (desks[0] as Desk).stopped = true;
  browser.run(patience);
  expect(roles(desks.slice(1)).filter((role) => role === 'leader')).toHaveLength(1);
  publish(2);
  browser.run(100);
  for (const { heard } of desks.slice(1)) expect(heard).toEqual(['resync first', ...log.ids.slice(1)]);
});

test('what was missed comes to each tab in one message', () => {
  const desks = office(4);
  publish(1);
  desks[0]?.die();
  for (let n = 0; n < 20; n++) log.ids.push(`e.${log.ids.length}`);
  for (const { said } of desks) said.length = 0;
  browser.run(200);
  const words = desks.flatMap(({ said }) => said);
  const welcomes = words.flatMap((word) => (word.kind === 'frames' && word.to ? [word.frames.length] : []));
  expect(welcomes, 'a hello and twenty updates for each of two followers').toEqual([21, 21]);
  for (const { heard } of desks.slice(1)) expect(heard).toEqual(['resync first', ...log.ids.slice(1)]);
});

test('a machine that slept takes nothing from anybody, however often', () => {
  const desks = office(3);
  for (let night = 0; night < 3; night++) {
    for (const desk of desks) desk.stopped = true;
    browser.run(60_000);
    for (const desk of desks) desk.stopped = false;
    browser.run(night === 2 ? 3000 : 100);
  }
  expect(roles(desks)).toEqual(['leader', 'follower', 'follower']);
});

describe('what a follower misses', () => {
  test('a gap of the leader is one of all', () => {
    const desks = office(3);
    desks[0]?.stream(['tinysse.resync', 'e.9', 'gap=overflow']);
    browser.run(20);
    for (const { heard } of desks) expect(heard).toEqual(['resync first', 'resync overflow']);
  });

  test('is replayed from what the leader remembers, and announced if it does not', () => {
    const [leader] = office(1) as [Desk];
    publish(3);
    const late = new Desk(browser, 'late');
    browser.run(50);
    expect(late.heard).toEqual(['resync first']);
    late.cursor = 'e.1';
    late.lead(false);
    browser.run(50);
    expect(late.heard).toEqual(['resync first', 'e.2', 'e.3']);
    publish(4200);
    late.cursor = 'e.5';
    late.lead(false);
    browser.run(50);
    expect(late.heard.at(-1)).toBe('resync trimmed');
    expect(leader.tab.role).toBe('leader');
  });
});

test('a server that sends no hello is not shared', () => {
  const one = new Desk(browser, 'one');
  one.opens = () => {
    one.status = 'open';
    one.tab.shows();
    one.stream(['message', '', 'x']);
  };
  browser.run(50);
  const two = new Desk(browser, 'two');
  expect(one.tab.role).toBe('alone');
  browser.run(100);
  expect([two.leads, two.tab.role]).toEqual([true, 'leader']);
});

test('nor is one that sends nothing, in the end', () => {
  const one = new Desk(browser, 'one');
  one.opens = () => {
    one.status = 'open';
    one.tab.shows();
  };
  browser.run(1000);
  const two = new Desk(browser, 'two');
  browser.run(5000);
  expect([one.tab.role, two.leads]).toEqual(['alone', true]);
});

test('a leader that rests lets another lead; a browser that has no locks makes none wait', () => {
  const [one, two] = office(2) as [Desk, Desk];
  one.tab.close();
  browser.run(100);
  expect([one.tab.role, two.tab.role]).toEqual(['alone', 'leader']);
  const three = new Desk(browser, 'three');
  three.tab.unable();
  expect([three.tab.role, three.leads]).toEqual(['alone', true]);
});

test('a follower shows what its leader shows, and asks it for a new connection', () => {
  const [one, two] = office(2) as [Desk, Desk];
  expect(two.tab.leading).toMatchObject({ status: 'open' });
  one.status = 'reconnecting';
  one.tab.shows();
  browser.run(10);
  expect(two.tab.leading).toMatchObject({ status: 'reconnecting' });
  two.tab.reconnect();
  one.tab.reconnect();
  browser.run(10);
  expect(one.reconnects).toBe(1);
});

test.each([
  ['the leader', 0],
  ['a follower', 2],
])('when %s forgets the user, every tab does, once, and none tells it on', (_, who) => {
  const desks = office(4);
  publish(2);
  browser.run(20);
  const one = desks[who] as Desk;
  one.tab.forget();
  one.forget();
  browser.run(10_000);
  expect(desks.map(({ forgets }) => forgets)).toEqual([1, 1, 1, 1]);
  expect(desks.flatMap(({ said }) => said).filter(({ kind }) => kind === 'forget')).toHaveLength(1);
  expect(roles(desks)).toEqual(['alone', 'alone', 'alone', 'alone']);
  expect([browser.holder, browser.queue]).toEqual([undefined, []]);
});

test('by seed: deaths, stops and newcomers under a steady stream lose and double nothing', () => {
  for (let seed = 1; seed <= 200; seed++) {
    browser = new Browser();
    log.ids = ['e.0'];
    let state = seed;
    const chance = (below: number) => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * below);
    };
    let desks = office(2 + chance(3));
    for (let step = 0; step < 60; step++) {
      publish(chance(4));
      const desk = desks[chance(desks.length)] as Desk;
      const what = chance(8);
      if (what === 0 && desks.length > 1) {
        desk.die();
        desks = desks.filter((other) => other !== desk);
      } else if (what === 1) {
        desks.push(new Desk(browser, `s${step}`));
      } else if (what === 2) {
        desk.stopped = true;
        browser.run(chance(3000));
        desk.stopped = false;
      }
      browser.run(chance(400));
    }
    browser.run(20_000);
    publish(3);
    browser.run(100);
    expect(
      roles(desks).filter((role) => role === 'leader'),
      `seed ${seed}`,
    ).toHaveLength(1);
    for (const { heard } of desks) {
      // From its first word on, everything; the one gap is that of a new tab.
      const rest = heard.slice(heard.findIndex((line) => line.startsWith('resync')) + 1);
      expect(
        heard.filter((line) => line.startsWith('resync')),
        `seed ${seed}`,
      ).toEqual(['resync first']);
      expect(rest, `seed ${seed}`).toEqual(log.ids.slice(log.ids.length - rest.length));
    }
  }
});
