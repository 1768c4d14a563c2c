// Cases of the shape of the class: constructor, attributes, constants, handlers.
import { type Case, equal, ok, pause, thrown, until } from '../kit';

const live = [{ body: 'retry: 10\ndata: x\n\n', end: false as const }];

/** What the class looks like: constructor, attributes, constants, event handlers. */
export const shape: Case[] = [
  {
    name: 'constants: on the class and its instances, listed, not to be written',
    run(kit) {
      const { Source } = kit;
      const source = kit.open(live);
      for (const [name, value] of Object.entries({ CONNECTING: 0, OPEN: 1, CLOSED: 2 })) {
        for (const place of [Source, Source.prototype]) {
          const { value: own, writable, enumerable } = Object.getOwnPropertyDescriptor(place, name) ?? {};
          equal([own, writable, enumerable], [value, false, true], name);
        }
        equal(Reflect.get(source, name), value, name);
      }
    },
  },
  {
    name: 'prototype: an EventTarget, its members are listed, it names itself',
    run(kit) {
      const source = kit.open(live);
      ok(source instanceof EventTarget && source instanceof kit.Source, 'inherits');
      equal(Object.prototype.toString.call(source), '[object EventSource]');
      equal(kit.Source.length, 1, 'length');
      equal(kit.Source.name, 'EventSource', 'name');
      const listed = new Set<string>();
      for (const name in source) listed.add(name);
      const wanted = 'url withCredentials readyState onopen onmessage onerror close CONNECTING OPEN CLOSED';
      for (const name of wanted.split(' ')) ok(listed.has(name), `${name} is listed`);
      equal(Object.keys(source), [], 'own properties');
    },
  },
  {
    name: 'constructor: needs `new` and a URL',
    run({ Source }) {
      equal(thrown(() => Reflect.apply(Source, undefined, ['/'])).name, 'TypeError');
      equal(thrown(() => Reflect.construct(Source, [])).name, 'TypeError');
    },
  },
  {
    name: 'constructor: a URL that cannot be parsed is a SyntaxError',
    run({ Source }) {
      const error = thrown(() => new Source('http://[invalid/'));
      ok(error instanceof DOMException, 'a DOMException');
      equal(error.name, 'SyntaxError');
    },
  },
  {
    name: 'url: absolute, and keeps its fragment',
    run(kit) {
      equal(kit.at('/seen?a=b#part').url, `${kit.place.origin}/seen?a=b#part`);
      equal(kit.at('HTTP://127.0.0.1:1/./a/../b').url, 'http://127.0.0.1:1/b');
    },
  },
  {
    name: 'url: the empty one is where the script runs',
    run(kit) {
      equal(kit.at('').url, (globalThis.document?.baseURI ?? location.href).replace(/#.*/, ''));
    },
  },
  {
    name: 'url: whatever has a text, asked once; not a symbol',
    run(kit) {
      let asked = 0;
      const text = {
        toString() {
          asked += 1;
          return '/seen?text';
        },
      };
      equal(kit.at(text as unknown as string).url, `${kit.place.origin}/seen?text`);
      equal(asked, 1, 'asked');
      equal(thrown(() => kit.at(Symbol('url') as unknown as string)).name, 'TypeError');
    },
  },
  {
    name: 'url: a lone surrogate is replaced',
    run(kit) {
      equal(kit.at('/seen?\ud800').url, `${kit.place.origin}/seen?%EF%BF%BD`);
    },
  },
  {
    name: 'withCredentials: false unless said, and only to be read',
    run(kit) {
      equal(kit.open(live).withCredentials, false);
      equal(kit.open(live, {}).withCredentials, false);
      equal(new kit.Source(kit.url(live), undefined).withCredentials, false);
      const source = kit.open(live, { withCredentials: true });
      Reflect.set(source, 'withCredentials', false);
      Reflect.set(source, 'readyState', 7);
      equal([source.withCredentials, source.readyState], [true, 0]);
    },
  },
  {
    name: 'readyState: connecting, open, closed; `close` can be said again',
    async run(kit) {
      const source = kit.open(live);
      equal(source.readyState, 0);
      await kit.next(source, 'open');
      equal(source.readyState, 1);
      source.close();
      source.close();
      equal(source.readyState, 2);
    },
  },
  {
    name: 'handlers: null at first, null for what is no object',
    run(kit) {
      const source = kit.open(live);
      for (const name of ['onopen', 'onmessage', 'onerror'] as const) {
        equal(source[name], null, name);
        for (const value of [1, 'text', true, undefined]) {
          Reflect.set(source, name, value);
          equal(source[name], null, `${name} = ${value}`);
        }
        const [object, work] = [{}, () => {}];
        Reflect.set(source, name, object);
        ok(Reflect.get(source, name) === object, 'an object is kept');
        source[name] = work;
        ok(source[name] === work, 'a function is kept');
      }
    },
  },
  {
    name: 'handlers: called in the order in which they were first set',
    run(kit) {
      const source = kit.open(live);
      const calls: string[] = [];
      const note = (name: string) => () => void calls.push(name);
      source.addEventListener('message', note('first'));
      source.onmessage = note('wrong');
      source.addEventListener('message', note('last'));
      source.onmessage = note('handler');
      const fire = () => {
        source.dispatchEvent(new MessageEvent('message'));
        return calls.splice(0);
      };
      equal(fire(), ['first', 'handler', 'last']);
      source.onmessage = null;
      equal(fire(), ['first', 'last']);
      source.onmessage = note('again');
      equal(fire(), ['first', 'last', 'again']);
      Reflect.set(source, 'onmessage', { handleEvent: note('object') });
      equal(fire(), ['first', 'last']);
    },
  },
  {
    name: 'handlers: `this` is the source',
    async run(kit) {
      const source = kit.open(live);
      const self = await new Promise((done) => {
        source.onopen = function (this: unknown) {
          done(this);
        };
      });
      ok(self === source, 'this');
    },
  },
  {
    name: 'events: real MessageEvents, with all that belongs to them',
    async run(kit) {
      const source = kit.open([{ body: 'id: 7\ndata: x\n\n', end: false }]);
      const open: Event = await kit.next(source, 'open');
      ok(open.constructor === Event && open.target === source, 'open is an Event');
      const event = await kit.next(source, 'message');
      ok(event instanceof MessageEvent && event.constructor === MessageEvent, 'a MessageEvent');
      const { type, data, origin, lastEventId, bubbles, cancelable } = event;
      equal([type, data, origin, lastEventId], ['message', 'x', kit.place.origin, '7']);
      equal([bubbles, cancelable, event.ports.length, event.source], [false, false, 0, null]);
    },
  },
  {
    name: 'events: after `close` in a listener there is none',
    async run(kit) {
      const source = kit.open([{ body: 'data: 1\n\ndata: 2\n\ndata: 3\n\n' }]);
      const got: unknown[] = [];
      source.onerror = () => got.push('error');
      source.onmessage = ({ data }) => {
        got.push(data);
        source.close();
      };
      await kit.next(source, 'message');
      await pause(120);
      equal([got, source.readyState], [['1'], 2]);
    },
  },
  {
    name: 'events: closed before the answer, there is none, and the request is over',
    async run(kit) {
      const source = kit.open([{ body: 'data: x\n\n', wait: 5_000 }]);
      let got = 0;
      for (const type of ['open', 'message', 'error']) source.addEventListener(type, () => (got += 1));
      await until(async () => (await kit.seen(source)).length > 0);
      source.close();
      await until(async () => (await kit.seen(source)).every(({ closed }) => closed));
      await pause(200);
      equal([got, source.readyState], [0, 2]);
    },
  },
];
