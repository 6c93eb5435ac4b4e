import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { echo } from '../../../../src/cli/demo/echo.ts';
import { FakeWebSocket } from '../../../support/websocket/fake-web-socket.ts';

const MIB = 1024 * 1024;

function connect(): FakeWebSocket {
  const socket = new FakeWebSocket();
  echo.connect(socket.asWebSocket(), { endpoint: '127.0.0.1:1' });
  return socket;
}

describe('an echo session whose client does not read', () => {
  it('stops reading above 1 MiB queued, and resumes at half of that', () => {
    const socket = connect();
    socket.bufferedAmount = MIB;
    socket.receive('a');
    assert.equal(socket.paused, false);
    socket.bufferedAmount = MIB + 1;
    socket.receive('b');
    assert.equal(socket.paused, true);
    socket.flush(MIB / 2 + 1);
    assert.equal(socket.paused, true);
    socket.flush(MIB / 2);
    assert.equal(socket.paused, false);
    assert.deepEqual(socket.sent, ['a', 'b']);
    socket.emit('close');
  });

  it('is terminated after a minute, unless the client catches up first', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const [stuck, late] = [connect(), connect()];
      for (const socket of [stuck, late]) {
        socket.bufferedAmount = 2 * MIB;
        socket.receive('a');
      }
      mock.timers.tick(59_999);
      late.flush(0);
      assert.equal(stuck.ended, null);
      mock.timers.tick(1);
      assert.equal(stuck.ended, 'terminated');
      mock.timers.tick(60_000);
      assert.equal(late.ended, null);
    } finally {
      mock.timers.reset();
    }
  });
});
