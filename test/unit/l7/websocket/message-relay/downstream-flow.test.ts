import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DownstreamSocket } from '../../../../../src/l7/contract/downstream-socket.ts';
import {
  DownstreamFlow,
  type DownstreamFlowOwner,
} from '../../../../../src/l7/websocket/message-relay/downstream-flow.ts';
import type { MessageContext } from '../../../../../src/l7/websocket/message-relay/message-context.ts';
import { BINARY, CLOSE, PING, TEXT, encodeFrame } from '../../../../support/websocket/raw-frames.ts';

const BUFFER = 1000;
const SLOTS = { messagesDownstream: 0, bytesDownstream: 1 };

/** A flow between an owner and a client's socket that write down what they hear. */
class Stage {
  readonly events: string[] = [];
  readonly values = new Float64Array(2);
  /** Bytes that wait for the client, and those that the budget knows of. */
  waiting = 0;
  counted = 0;
  /** Whether the client's socket takes nothing of what it is sent. */
  isSlow = false;
  readonly flow: DownstreamFlow;

  /** Called within the cork, when it is written. */
  onUncork: () => void = () => undefined;

  constructor({ opens = true, closes = false } = {}) {
    const note = (event: string): void => void this.events.push(event);
    const context = {
      settings: { downstreamBuffer: BUFFER, compression: 'off' },
      stats: { ...SLOTS, values: this.values, paused: () => note('paused') },
      budget: { setDownstream: (_: object, bytes: number) => (this.counted = bytes) },
      engine: { clientsTouched: () => note('touched') },
    } as unknown as MessageContext;
    const owner = {
      context,
      pauseEndpoint: () => note('pause'),
      resumeEndpoint: () => note('resume'),
      endpointPinged: (payload: Uint8Array) => note(`ping ${Buffer.from(payload).toString()}`),
      endpointClosed: (code: number) => {
        note(`endpoint closed ${code}`);
        if (closes) this.flow.end(code, 'bye');
      },
      endpointFailed: () => note('endpoint failed'),
    } as unknown as DownstreamFlowOwner;
    this.flow = new DownstreamFlow(owner);
    if (opens) this.flow.open(this.#socket(note));
  }

  #socket(note: (event: string) => void): DownstreamSocket {
    const send = (what: string) => (bytes: Uint8Array) => {
      note(`${what} ${bytes.length}`);
      if (!this.isSlow) return 1;
      this.waiting += bytes.length;
      return 0;
    };
    return {
      send: send('send'),
      sendFirstFragment: send('first'),
      sendFragment: send('fragment'),
      sendLastFragment: send('last'),
      end: (code, reason) => note(`end ${code} ${Buffer.from(reason).toString()}`.trim()),
      close: () => note('cut'),
      cork: (callback) => {
        note('cork');
        callback();
        note('uncork');
        this.onUncork();
      },
      getBufferedAmount: () => this.waiting,
    };
  }

  receive(...frames: Buffer[]): void {
    const bytes = Buffer.concat(frames);
    this.flow.receive(bytes, 0, bytes.length);
  }

  /** Takes the events since the last call. */
  take(): string[] {
    return this.events.splice(0);
  }
}

describe('the flow to a client', () => {
  it('combines small messages of one read into one write', () => {
    const stage = new Stage();
    stage.receive(encodeFrame(TEXT, 'one'), encodeFrame(BINARY, 'three'));
    assert.deepEqual(stage.take(), ['cork', 'send 3', 'send 5', 'uncork']);
    assert.deepEqual([...stage.values], [2, 8]);
  });

  it('closes after the messages of the same read, outside their write', () => {
    const stage = new Stage({ closes: true });
    stage.receive(encodeFrame(TEXT, 'last'), encodeFrame(CLOSE, Buffer.from([3, 232])));
    assert.deepEqual(stage.take(), [
      'cork',
      'send 4',
      'endpoint closed 1000',
      'touched',
      'uncork',
      'end 1000 bye',
    ]);
  });

  it('sends no close frame to a client that was lost in the write before', () => {
    const stage = new Stage({ closes: true });
    stage.onUncork = () => assert.equal(stage.flow.lost(), false);
    stage.receive(encodeFrame(TEXT, 'last'), encodeFrame(CLOSE, Buffer.from([3, 232])));
    assert.equal(stage.take().at(-1), 'uncork');
    stage.receive(encodeFrame(TEXT, 'late'));
    assert.deepEqual(stage.take(), []);
  });

  it('forwards a large message without combining', () => {
    const stage = new Stage();
    stage.receive(encodeFrame(BINARY, Buffer.alloc(9000)));
    assert.deepEqual(stage.take(), ['send 9000']);
  });

  it('streams a message that is split by reads, and counts it once', () => {
    const stage = new Stage();
    const frame = encodeFrame(BINARY, Buffer.alloc(100_000));
    for (let at = 0; at < frame.length; at += 40_000) stage.receive(frame.subarray(at, at + 40_000));
    const kinds = stage.take().map((event) => event.split(' ')[0]);
    assert.deepEqual([kinds[0], kinds.at(-1)], ['first', 'last']);
    assert.deepEqual([...stage.values], [1, 100_000]);
    assert.deepEqual([stage.flow.messages, stage.flow.bytes], [1, 100_000]);
  });

  it('passes control frames to its owner', () => {
    const stage = new Stage();
    stage.receive(encodeFrame(PING, 'hello'), encodeFrame(CLOSE, Buffer.from([3, 232])));
    const events = stage.take().filter((event) => !event.includes('cork'));
    assert.deepEqual(events, ['ping hello', 'endpoint closed 1000']);
    const broken = new Stage();
    broken.receive(Buffer.from([0xf2, 0]));
    assert.ok(broken.take().includes('endpoint failed'));
  });

  it('keeps reading after the client has disconnected, and forwards nothing', () => {
    const stage = new Stage();
    assert.ok(stage.flow.lost());
    stage.receive(encodeFrame(TEXT, 'late'), encodeFrame(CLOSE, Buffer.from([3, 232])));
    assert.deepEqual(stage.take(), ['endpoint closed 1000']);
    assert.deepEqual([...stage.values], [0, 0]);
  });
});

describe('a slow client', () => {
  it('pauses its endpoint above its buffer size, and resumes it at half of that', () => {
    const stage = new Stage();
    stage.isSlow = true;
    stage.receive(encodeFrame(BINARY, Buffer.alloc(BUFFER)));
    assert.ok(!stage.flow.isEndpointPaused);
    stage.receive(encodeFrame(BINARY, Buffer.alloc(1)));
    assert.ok(stage.flow.isEndpointPaused);
    assert.equal(stage.counted, BUFFER + 1);
    assert.equal(stage.take().filter((event) => event === 'pause').length, 1);
    stage.waiting = BUFFER / 2 + 1;
    assert.equal(stage.flow.drained(), false);
    stage.waiting = BUFFER / 2;
    assert.equal(stage.flow.drained(), true);
    assert.deepEqual(stage.take(), ['resume']);
    assert.equal(stage.counted, BUFFER / 2);
  });

  it('is detected by its pongs if it pings without reading', () => {
    const stage = new Stage();
    stage.waiting = BUFFER + 1;
    assert.ok(stage.flow.pongQueued());
    assert.ok(stage.flow.isEndpointPaused);
    stage.waiting += 64 * 1024;
    assert.ok(stage.flow.pongQueued());
    stage.waiting += 1;
    assert.ok(!stage.flow.pongQueued());
  });

  it('is ended by a close frame after the buffered bytes, or cut at once', () => {
    const patient = new Stage();
    patient.waiting = 10;
    patient.flow.end(1012, 'restart');
    assert.deepEqual(patient.take(), ['end 1012 restart', 'touched']);
    const hasty = new Stage();
    hasty.waiting = hasty.counted = 10;
    hasty.flow.endAtOnce(1013, 'overloaded');
    assert.deepEqual(hasty.take(), ['cut', 'touched']);
    assert.equal(hasty.counted, 0);
    const quick = new Stage();
    quick.flow.endAtOnce(1013, 'overloaded');
    assert.deepEqual(quick.take(), ['end 1013 overloaded', 'touched']);
  });

  it('is ended once', () => {
    const stage = new Stage();
    stage.flow.end(1005, '');
    stage.flow.end(1012, '');
    stage.flow.cut();
    assert.deepEqual(stage.take(), ['end 0', 'touched', 'touched']);
    assert.equal(stage.flow.lost(), false);
    assert.equal(stage.flow.drained(), false);
  });
});
