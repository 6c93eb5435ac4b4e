import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RelaySession } from '../../../../src/l7/contract/relay.ts';
import type { UpgradeReply } from '../../../../src/l7/contract/upgrade-reply.ts';
import type { Channel, ChannelOwner } from '../../../../src/transport/channel.ts';
import { ask, http1Rig, statuses } from './http1-rig.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = ask('/chat', 'Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Key: ${KEY}`);

/** A session that notes what its client sends. */
class FakeSession implements ChannelOwner {
  readonly heard: string[] = [];

  clientOpened(channel: Channel, rest: Buffer): void {
    channel.owner = this;
    channel.resume();
    this.heard.push(`opened ${rest.toString('latin1')}`);
  }

  channelData(input: Buffer, start: number, end: number): void {
    this.heard.push(input.toString('latin1', start, end));
  }

  channelEnded(): void {
    this.heard.push('ended');
  }

  channelClosed(): void {
    this.heard.push('closed');
  }
}

function handshakes(): ReturnType<typeof http1Rig> & { readonly replies: UpgradeReply[] } {
  const replies: UpgradeReply[] = [];
  const rig = http1Rig((exchange) => {
    if (exchange.head.path === '/chat') replies.push(exchange.upgrade({ key: KEY, subprotocols: [] }));
    else exchange.reply.send(200, [], '');
  });
  return { ...rig, replies };
}

describe('an upgrade on an HTTP/1.x connection', () => {
  it('answers 101 in one write and gives the channel to the session', () => {
    const rig = handshakes();
    const client = rig.connect();
    client.say(`${ask('/before')}${HANDSHAKE}early`);
    client.say(' bytes');
    const session = new FakeSession();
    const relayed = session as unknown as RelaySession;
    const writes = client.pieces.length;
    assert.equal(rig.replies[0]!.accept(relayed, 'chat', [['Set-Cookie', 'a=b']]), true);
    assert.equal(client.pieces.length, writes + 1);
    assert.match(
      client.pieces.at(-1)!,
      /^HTTP\/1\.1 101 Switching Protocols\r\nSet-Cookie: a=b\r\nX-Request-Id: id\r\nDate: .*\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\nSec-WebSocket-Protocol: chat\r\n\r\n$/,
    );
    client.say('later');
    assert.deepEqual(session.heard, ['opened early bytes', 'later']);
    assert.deepEqual(rig.told, ['opened', 'over', 'over']);
    rig.pass(200_000);
    assert.equal(client.destroyed, false);
    client.break();
    assert.equal(session.heard.at(-1), 'closed');
    assert.equal(rig.told.at(-1), 'closed');
  });

  it('ends the session with its listener', () => {
    const rig = handshakes();
    rig.connect().say(HANDSHAKE);
    const session = new FakeSession();
    rig.replies[0]!.accept(session as unknown as RelaySession, '', []);
    rig.listener.close();
    assert.deepEqual(session.heard, ['opened ', 'closed']);
  });

  it('answers another status, and reads the next request', () => {
    const rig = handshakes();
    const client = rig.connect();
    client.say(HANDSHAKE + ask('/next'));
    rig.replies[0]!.http.send(403, [], 'no');
    rig.endTurn();
    assert.deepEqual(statuses(client.text), [403, 200]);
  });

  it('treats FIN before the answer as a cancelled handshake', () => {
    const rig = handshakes();
    const client = rig.connect();
    client.say(HANDSHAKE);
    let aborted = 0;
    rig.replies[0]!.http.onAborted(() => aborted++);
    client.fin();
    assert.equal(aborted, 1);
    assert.deepEqual(statuses(client.text), [400]);
    const session = new FakeSession();
    assert.equal(rig.replies[0]!.accept(session as unknown as RelaySession, '', []), false);
    assert.deepEqual(session.heard, []);
  });
});
