// Listeners that run in the zone of zone.js in which they were added.
interface Zone {
  wrap<F>(fn: F, source: string): F;
}

/**
 * Binds a listener to the zone in which it is added, where zone.js is loaded: what zone.js does for
 * the listeners of the browser's own objects. Without zone.js the listener itself is returned.
 */
export function inZone<F>(fn: F): F {
  return (globalThis as { Zone?: { current: Zone } }).Zone?.current.wrap(fn, 'tinysse') ?? fn;
}
