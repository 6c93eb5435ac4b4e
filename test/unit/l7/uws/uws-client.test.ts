import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DownstreamOwner } from '../../../../src/l7/contract/downstream-socket.ts';
import { MessageMemory } from '../../../../src/l7/uws/message-memory.ts';
import type { UnfinishedMessages } from '../../../../src/l7/uws/unfinished/unfinished-messages.ts';
import { UwsClient } from '../../../../src/l7/uws/uws-client.ts';

const LARGE = 300 * 1024;
const NO_REASON = new ArrayBuffer(0);

/** A client's WebSocket between a fake of uWS and an owner that writes down what it hears. */
class Stage {
  /** Calls to the owner and frees, in order. */
  readonly events: string[] = [];
  /** The owner's reaction to a message. */
  onMessage: () => void = () => undefined;
  /** Whether the WebSocket's end has been told to the budget of unfinished messages, and whether it lingers. */
  lingers: boolean | null = null;
  readonly client: UwsClient;

  constructor() {
    const owner = {
      downstreamOpened: () => this.events.push('opened'),
      downstreamMessage: ({ byteLength }: ArrayBuffer) => {
        this.events.push(`message of ${byteLength}`);
        this.onMessage();
      },
      downstreamPinged: () => this.events.push('pinged'),
      downstreamPonged: () => this.events.push('ponged'),
      downstreamUnfinished: (bytes: number) => this.events.push(`unfinished ${bytes}`),
      downstreamClosed: (code: number, reason: Uint8Array) =>
        this.events.push(`closed ${code} ${Buffer.from(reason).toString()}`.trim()),
      downstreamLost: (detail: string, sentBadClose: boolean) =>
        this.events.push(`lost "${detail}"${sentBadClose ? ' refused' : ''}`),
    } as unknown as DownstreamOwner;
    const unfinished = {
      opened: () => undefined,
      closed: (_: object, lingers: boolean) => (this.lingers = lingers),
    } as unknown as UnfinishedMessages;
    this.client = new UwsClient(
      {
        wireTraits: { maxMessageSize: 1024 * 1024, compressed: false, secure: false },
        unfinished,
        memory: new MessageMemory(({ byteLength }) => this.events.push(`freed ${byteLength}`)),
      },
      owner,
    );
  }

  open(): this {
    this.client.opened({} as Parameters<UwsClient['opened']>[0]);
    this.events.length = 0;
    return this;
  }

  message(bytes: number): void {
    this.client.message(new ArrayBuffer(bytes), true);
  }
}

function textOf(text: string): ArrayBuffer {
  return new TextEncoder().encode(text).buffer;
}

describe('the memory of a large message', () => {
  it('is released when the owner has processed the message', () => {
    const stage = new Stage().open();
    stage.message(LARGE);
    assert.deepEqual(stage.events, [`message of ${LARGE}`, `freed ${LARGE}`]);
  });

  it('is released once, before the owner learns that uWS ended the WebSocket inside the message', () => {
    const stage = new Stage().open();
    stage.onMessage = () => stage.client.closed(1013, NO_REASON);
    stage.message(LARGE);
    assert.deepEqual(stage.events, [`message of ${LARGE}`, `freed ${LARGE}`, 'closed 1013']);
  });

  it('is kept while another WebSocket ends', () => {
    const stage = new Stage().open();
    const other = new Stage().open();
    stage.onMessage = () => other.client.closed(1006, NO_REASON);
    stage.message(LARGE);
    assert.deepEqual(other.events, ['lost ""']);
    assert.deepEqual(stage.events, [`message of ${LARGE}`, `freed ${LARGE}`]);
  });

  it('is kept for small messages', () => {
    const stage = new Stage().open();
    stage.message(200 * 1024);
    assert.deepEqual(stage.events, [`message of ${200 * 1024}`]);
  });
});

describe('the end of a uWS WebSocket', () => {
  it('by a close frame is reported with its code and reason, and lingers', () => {
    const stage = new Stage().open();
    stage.client.closed(1000, textOf('done'));
    assert.deepEqual(stage.events, ['closed 1000 done']);
    assert.equal(stage.lingers, true);
  });

  it("without a close frame is reported with uWS's text, and does not linger", () => {
    const stage = new Stage().open();
    stage.client.closed(1006, textOf('Received too big message'));
    assert.deepEqual(stage.events, ['lost "Received too big message"']);
    assert.equal(stage.lingers, false);
  });

  it('by a close frame that uWS refuses is marked, and lingers', () => {
    const stage = new Stage().open();
    stage.client.closed(1006, textOf('Received invalid close payload'));
    assert.deepEqual(stage.events, ['lost "Received invalid close payload" refused']);
    assert.equal(stage.lingers, true);
  });

  it('is not reported before the owner was called', () => {
    const stage = new Stage();
    stage.client.closed(1006, NO_REASON);
    assert.deepEqual(stage.events, []);
    assert.equal(stage.lingers, null);
  });
});

describe('frames delivered by uWS', () => {
  it('are counted by messages and control frames', () => {
    const { client } = new Stage().open();
    client.message(new ArrayBuffer(10), false);
    client.message(new ArrayBuffer(20), true);
    client.ping(new ArrayBuffer(3));
    client.pong(new ArrayBuffer(4));
    const { messages, messageBytes, controlFrames, controlBytes } = client;
    assert.deepEqual([messages, messageBytes, controlFrames, controlBytes], [2, 30, 2, 7]);
  });

  it('include pings and pongs for the owner', () => {
    const stage = new Stage().open();
    stage.client.pong(new ArrayBuffer(0));
    stage.client.ping(new ArrayBuffer(0));
    assert.deepEqual(stage.events, ['ponged', 'pinged']);
  });
});
