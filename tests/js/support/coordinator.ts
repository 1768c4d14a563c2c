// A coordinator in virtual time.
import { Coordinator } from '../../../js/refetch/coordinator.js';
import type { Handle } from '../../../js/refetch/query.js';
import { ModelQuery, type QueryOptions } from './query.js';
import { VirtualWorld } from './world.js';

/** A coordinator in virtual time, with N components on one query. */
export function setUp(over: QueryOptions = {}, components = 1) {
  const world = new VirtualWorld();
  const query = new ModelQuery(world);
  const coordinator = new Coordinator(world);
  const handles: Handle[] = [];
  const exact = over.exact ?? true;
  const mount = (more: QueryOptions = {}) => {
    const handle = coordinator.add(query.asQuery({ ...over, ...more }));
    const observe = () => handle.observe(query.view(exact));
    // A rendered view comes with the next turn of the event loop, an exact one in the call.
    query.onChange(exact ? observe : () => world.setTimeout(observe, 1));
    handles.push(handle);
    return handle;
  };
  for (let i = 0; i < components; i++) mount();
  const update = (type = 'projects', { own = false, spread = 0 } = {}) =>
    coordinator.update(type, { type }, { own, spread });
  return { world, query, coordinator, handles, mount, update };
}
