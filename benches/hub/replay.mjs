// Opens streams behind the same cursor and reads until each has been replayed everything. A process of its own: what it costs is not measured.
// `node replay.mjs PORT PATH CURSOR STREAMS UPDATES`.
import { connect } from 'node:net';

const [port, path, cursor, streams, updates] = process.argv.slice(2);
const mark = Buffer.from('event: bench');

function replay() {
  return new Promise((resolve, reject) => {
    let seen = 0;
    let carried = Buffer.alloc(0);
    const socket = connect(Number(port), '127.0.0.1', () => {
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAccept: text/event-stream\r\nLast-Event-ID: ${cursor}\r\n\r\n`,
      );
    });
    socket.on('data', (chunk) => {
      const bytes = Buffer.concat([carried, chunk]);
      let at = bytes.indexOf(mark);
      let end = 0;
      for (; at >= 0; at = bytes.indexOf(mark, end)) {
        seen += 1;
        end = at + mark.length;
      }
      carried = bytes.subarray(Math.max(end, bytes.length - mark.length + 1));
      if (seen >= Number(updates)) {
        socket.destroy();
        resolve();
      }
    });
    socket.on('error', reject);
    socket.on('end', () => reject(new Error(`the stream ended after ${seen} updates`)));
  });
}

await Promise.all(Array.from({ length: Number(streams) }, replay));
