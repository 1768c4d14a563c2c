// A process that notifies until it is killed: `node remote-child.mjs URL KEY FILE FIRST`. It prints each
// number that was accepted.
import { writeSync } from 'node:fs';
import { createRemote } from '../../../../js/server/remote/index.js';

const [, , url = '', key = '', file = '', first = '1'] = process.argv;
const service = createRemote<{ news: number }>({ url, key, queue: { file }, onError: () => {} });
let number = Number(first);
setInterval(() => {
  for (let n = 0; n < 20; n++) {
    service.notify('news', { data: number });
    // At once: what is printed was accepted.
    writeSync(1, `${number}\n`);
    number += 1;
  }
}, 1);
