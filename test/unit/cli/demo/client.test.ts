import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { Client } from '../../../../src/cli/demo/client.ts';
import { FakeWebSocket } from '../../../support/websocket/fake-web-socket.ts';

const KIB = 1024;

function connect(): { socket: FakeWebSocket; client: Client } {
  const socket = new FakeWebSocket();
  return {
    socket,
    client: new Client(socket.asWebSocket(), '127.0.0.1:1', { messages: 2, windowMs: 60_000 }),
  };
}

describe('a client of a demo app', () => {
  it('is heard up to its limit, then gets one notice, and is disconnected after 100 more messages', () => {
    const { socket, client } = connect();
    const heard: unknown[] = [];
    client.listen(
      (text) => heard.push(text),
      () => heard.push(client.limitNotice),
    );
    for (let n = 1; n <= 102; n++) socket.receive(String(n));
    const notice = 'Not so fast, please: 2 messages in 60 seconds. The last one was not passed on.';
    assert.deepEqual(heard, ['1', '2', notice]);
    assert.equal(socket.ended, null);
    socket.receive('103');
    assert.equal(socket.ended, '1008 too many messages');
    socket.emit('close');
  });

  it('misses snapshots while more than 64 KiB are queued, and is disconnected if it misses 200 in a row', () => {
    const { socket, client } = connect();
    socket.bufferedAmount = 64 * KIB;
    client.sendSnapshot('1');
    socket.bufferedAmount++;
    for (let n = 0; n < 200; n++) client.sendSnapshot('missed');
    socket.bufferedAmount = 0;
    client.sendSnapshot('2');
    assert.deepEqual(socket.sent, ['1', '2']);
    socket.bufferedAmount = 65 * KIB;
    for (let n = 0; n < 200; n++) client.sendSnapshot('missed');
    assert.equal(socket.ended, null);
    client.sendSnapshot('missed');
    assert.equal(socket.ended, '1013 reading too slowly');
    socket.emit('close');
  });

  it('is terminated two seconds after a close frame that it does not answer', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const [silent, polite] = [connect(), connect()];
      for (const { client } of [silent, polite]) client.close(1000, 'bye');
      polite.socket.emit('close');
      mock.timers.tick(2000);
      assert.equal(silent.socket.ended, 'terminated');
      assert.equal(polite.socket.ended, '1000 bye');
      silent.client.send('late');
      silent.client.sendSnapshot('late');
      assert.deepEqual(silent.socket.sent, []);
    } finally {
      mock.timers.reset();
    }
  });
});
