import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { UpstreamSocket } from '../../../../../src/l7/contract/upstream-socket.ts';
import type { MessageContext } from '../../../../../src/l7/websocket/message-relay/message-context.ts';
import { UpstreamFlow } from '../../../../../src/l7/websocket/message-relay/upstream-flow.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../../../../src/wire/frames/opcodes.ts';
import { closeBody } from '../../../../support/websocket/raw-frames.ts';

const KIB = 1024;

/** A flow before an outbox that takes frames while a test lets it. */
class Stage {
  readonly upstream = { writableLength: 0 } as { writableLength: number } & UpstreamSocket;
  readonly values = new Float64Array(2);
  readonly frames: [opcode: number, payload: string, mask: number][] = [];
  takes = true;
  flushes = 0;
  readonly waits: number[] = [];
  readonly flow: UpstreamFlow;

  constructor({ randomMasks = false } = {}) {
    const context = {
      settings: { upstreamBuffer: 200 * KIB },
      randomMasks,
      random: { int32: () => 77 },
      stats: { messagesUpstream: 0, bytesUpstream: 1, values: this.values },
      outbox: {
        send: (_: object, opcode: number, payload: Uint8Array, mask: number) => {
          if (this.takes) this.frames.push([opcode, Buffer.from(payload).toString('latin1'), mask]);
          return this.takes;
        },
        flush: () => this.flushes++,
      },
    } as unknown as MessageContext;
    const upstreamBlocked = (following: number): void => void this.waits.push(following);
    const owner = { context, tap: null, upstreamBlocked };
    this.flow = new UpstreamFlow(owner, this.upstream);
  }

  send(text: string, binary = false): boolean {
    return this.flow.send(new TextEncoder().encode(text).buffer, binary);
  }

  pong(text: string): void {
    this.flow.pong(Buffer.from(text));
  }
}

describe('the flow to an endpoint', () => {
  it('sends messages with their kind, and counts them', () => {
    const stage = new Stage();
    assert.ok(stage.send('text') && stage.send('bytes', true));
    assert.deepEqual(stage.frames, [
      [OPCODE_TEXT, 'text', 0],
      [OPCODE_BINARY, 'bytes', 0],
    ]);
    assert.deepEqual([...stage.values], [2, 9]);
  });

  it('masks each frame with a random number if the cluster is configured to', () => {
    const stage = new Stage({ randomMasks: true });
    stage.send('text');
    stage.flow.ping();
    assert.deepEqual(stage.frames, [
      [OPCODE_TEXT, 'text', 77],
      [OPCODE_PING, '', 77],
    ]);
  });

  it('rejects a message without room, and counts it only for its session', () => {
    const stage = new Stage();
    stage.takes = false;
    assert.equal(stage.send('text'), false);
    assert.deepEqual([...stage.values], [0, 0]);
    assert.deepEqual([stage.flow.messages, stage.flow.bytes], [1, 4]);
  });

  it('notifies its owner of buffered bytes', () => {
    const stage = new Stage();
    stage.flow.upstreamBlocked(5);
    assert.deepEqual(stage.waits, [5]);
  });

  it('sends a close frame at once', () => {
    const stage = new Stage();
    stage.flow.close(4000, Buffer.from('bye'));
    assert.deepEqual(stage.frames, [[OPCODE_CLOSE, closeBody(4000, 'bye').toString('latin1'), 0]]);
    assert.equal(stage.flushes, 1);
  });
});

describe('pongs to an endpoint', () => {
  it('are sent while few bytes are queued, and after 64 KiB only the latest is kept', () => {
    const stage = new Stage();
    stage.upstream.writableLength = 64 * KIB;
    stage.pong('first');
    stage.upstream.writableLength++;
    stage.pong('second');
    stage.pong('third');
    assert.deepEqual(stage.frames, [[OPCODE_PONG, 'first', 0]]);
    stage.flow.retryPong();
    stage.flow.retryPong();
    assert.deepEqual(stage.frames.slice(1), [[OPCODE_PONG, 'third', 0]]);
  });

  it('stay pending without room', () => {
    const stage = new Stage();
    stage.takes = false;
    stage.pong('due');
    stage.flow.retryPong();
    stage.takes = true;
    stage.flow.retryPong();
    assert.deepEqual(stage.frames, [[OPCODE_PONG, 'due', 0]]);
  });

  it('are copied while pending, because the payload is valid during the call only', () => {
    const stage = new Stage();
    stage.upstream.writableLength = 65 * KIB;
    const payload = Buffer.from('due');
    stage.flow.pong(payload);
    payload.fill('x');
    stage.flow.retryPong();
    assert.deepEqual(stage.frames, [[OPCODE_PONG, 'due', 0]]);
  });
});
