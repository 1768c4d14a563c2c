// Finds nchan, a module of nginx; on Debian as root it installs it.
import { existsSync } from 'node:fs';
import { needProgram } from './browser.mjs';

const module = 'ngx_nchan_module.so';
const places = [`/usr/lib/nginx/modules/${module}`, `/usr/share/nginx/modules/${module}`];

/** Returns the path of the nginx module, or `undefined` if it is not installed. */
export const findNchan = () => places.find((path) => existsSync(path));

/** Returns the path of the nginx module, installed from Debian's packages if it is absent. */
export const needNchan = () => needProgram(module, ['nginx', 'libnginx-mod-nchan'], places);
