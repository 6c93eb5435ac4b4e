import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { ChatRoom } from '../../../../../src/cli/demo/chat/chat-room.ts';
import { FakeWebSocket } from '../../../../support/websocket/fake-web-socket.ts';

function join(room: ChatRoom): FakeWebSocket {
  const socket = new FakeWebSocket();
  room.connect(socket.asWebSocket(), { endpoint: '127.0.0.1:1' });
  return socket;
}

describe('a chat room', () => {
  it('closes a member with more than 1 MiB queued, and terminates it if it does not answer', () => {
    mock.timers.enable({ apis: ['setTimeout'] });
    try {
      const room = new ChatRoom();
      const [slow, quick] = [join(room), join(room)];
      slow.bufferedAmount = 1024 * 1024 + 1;
      slow.sent.length = 0;
      quick.receive('{"type":"say","text":"hi"}');
      assert.equal(slow.ended, '1013 reading too slowly');
      assert.deepEqual(slow.sent, []);
      assert.equal(quick.ended, null);
      assert.match(quick.sent.at(-1) ?? '', /"text":"hi"/);
      mock.timers.tick(2000);
      assert.equal(slow.ended, 'terminated');
    } finally {
      mock.timers.reset();
    }
  });

  it('admits 1000 members, and another after one leaves', () => {
    const room = new ChatRoom();
    const members = Array.from({ length: 1000 }, () => join(room));
    assert.equal(join(room).ended, '1013 the room is full');
    members[0]!.emit('close');
    assert.equal(join(room).ended, null);
    assert.equal(join(room).ended, '1013 the room is full');
  });

  it('sends nothing to a member that is closing', () => {
    const room = new ChatRoom();
    const [going, staying] = [join(room), join(room)];
    going.readyState = 2;
    going.sent.length = 0;
    staying.receive('{"type":"hello","name":"Ada"}');
    assert.deepEqual(going.sent, []);
  });
});
