// What Web IDL asks of a class, beyond what a class of the language has by itself.
import { inZone } from '../model/zone.js';

type Handler = ((event: never) => unknown) | null;

/** What is behind one event handler attribute. */
interface Slot {
  value: Handler;
  /** Calls the value in the zone in which it was set, if it is a function. */
  call: unknown;
  readonly listener: (event: Event) => void;
}

/** Those of one attribute. */
type Slots = WeakMap<EventTarget, Slot>;

/**
 * Event handler attributes as HTML §8.1.8.1 has them: a handler takes its place among the listeners
 * when it is first set, keeps it when it is replaced, and loses it when it is set to null. What is
 * no object is null; an object that is no function is kept, and not called.
 */
export function defineHandlers(prototype: EventTarget, types: readonly string[]): void {
  for (const type of types) {
    const slots: Slots = new WeakMap();
    Object.defineProperty(prototype, `on${type}`, {
      configurable: true,
      enumerable: true,
      get(this: EventTarget) {
        return slots.get(this)?.value ?? null;
      },
      set(this: EventTarget, value: unknown) {
        const handler = (typeof value === 'object' || typeof value === 'function' ? value : null) as Handler;
        assign(slots, this, type, handler, typeof value === 'function' ? inZone(value) : undefined);
      },
    });
  }
}

function assign(slots: Slots, target: EventTarget, type: string, value: Handler, call: unknown): void {
  const slot = slots.get(target);
  if (slot && value) {
    Object.assign(slot, { value, call });
  } else if (slot) {
    target.removeEventListener(type, slot.listener);
    slots.delete(target);
  } else if (value) {
    const fresh: Slot = {
      value,
      call,
      listener(event) {
        (fresh.call as Handler)?.call(target, event as never);
      },
    };
    slots.set(target, fresh);
    target.addEventListener(type, fresh.listener);
  }
}

/**
 * Constants of an interface: on the class and on its prototype, to be listed and not to be written.
 */
export function defineConstants(type: { prototype: object }, constants: Record<string, number>): void {
  for (const [name, value] of Object.entries(constants)) {
    for (const place of [type, type.prototype]) Object.defineProperty(place, name, { enumerable: true, value });
  }
}

/**
 * Lists what the class itself has, which is attributes and operations; the class and its instances
 * know the interface's name, whatever a minifier makes of it.
 */
export function nameIt(type: { prototype: object }, name: string): void {
  for (const member of Object.getOwnPropertyNames(type.prototype)) {
    if (member !== 'constructor') Object.defineProperty(type.prototype, member, { enumerable: true });
  }
  Object.defineProperty(type.prototype, Symbol.toStringTag, { configurable: true, value: name });
  Object.defineProperty(type, 'name', { configurable: true, value: name });
}
