// The hub of `tinysse/server` in plain Node: a token, a stream, an update, an end.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createHub, isHubError } from 'tinysse/server';

assert.throws(
  () => createHub({ secret: 'short' }),
  (error) => isHubError(error) && error.option === 'secret',
);
const hub = createHub({ secret: 'a secret of thirty-two bytes or more', identify: () => ({ user: 'ada' }) });
const server = createServer(hub.node);
await new Promise((done) => server.listen(0, '127.0.0.1', done));
const url = `http://127.0.0.1:${server.address().port}`;
const { token } = await (await fetch(`${url}/auth/sse-token`, { method: 'POST' })).json();
const stream = await fetch(`${url}/events?token=${token}`);
const reader = stream.body.pipeThrough(new TextDecoderStream()).getReader();
const until = async (what) => {
  for (let text = ''; !text.includes(what); ) {
    const { done, value = '' } = await reader.read();
    assert.ok(!done, `the stream ended before ${what}`);
    text += value;
  }
};
await until('event: tinysse.hello');
hub.notify('projects', { to: 'user:ada', data: { id: 7 } });
await until('data: {"data":{"id":7}');
const ended = hub.close({ drain: 100 });
await until('reason=drain');
await ended;
server.close();
console.log('server: ok');
