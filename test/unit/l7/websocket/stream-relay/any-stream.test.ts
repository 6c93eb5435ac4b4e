/** Whatever two peers send, in whatever pieces however slowly they read, and whatever limits say: each gets what the other has sent. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  BINARY,
  CLOSE,
  PING,
  PONG,
  TEXT,
  closeBody,
  decodeFrame,
  encodeFrame,
} from '../../../../support/websocket/raw-frames.ts';
import { FakeMeter } from '../fake-meter.ts';
import { CheckingTap } from './checking-tap.ts';
import type { FakeChannel } from './fake-channel.ts';
import { MASK, Stage } from './stream-stage.ts';

const RUNS = 120;

/** One message or control frame: an opcode and the lengths of its fragments. */
const message = fc.oneof(
  fc.record({
    opcode: fc.constantFrom(TEXT, BINARY),
    lengths: fc.array(
      fc.oneof(fc.nat(20), fc.constantFrom(0, 125, 126, 127, 65_535, 65_536), fc.nat(100_000)),
      {
        minLength: 1,
        maxLength: 3,
      },
    ),
  }),
  fc.record({
    opcode: fc.constantFrom(PING, PONG),
    lengths: fc.array(fc.constantFrom(0, 1, 8, 125), { minLength: 1, maxLength: 1 }),
  }),
);
const traffic = fc.record({
  messages: fc.array(message, { maxLength: 8 }),
  /** Null for no close frame. */
  closes: fc.option(fc.constantFrom(1000, 1012, 3000, 4999)),
  fin: fc.boolean(),
  /** Lengths of the pieces, used in turn. */
  pieces: fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 })), {
    minLength: 1,
    maxLength: 12,
  }),
});
/** What happens between two pieces: which side sends next, and what the sides do. */
const step = fc.record({
  fromClient: fc.boolean(),
  event: fc.constantFrom(
    'none',
    'stall client',
    'stall endpoint',
    'slow',
    'allow',
    'resume',
    'tick',
    'tap',
    'end of tap',
  ),
});
/** Bytes of a stream that are changed: where, in millionths of all, and how. */
const damage = fc.array(fc.tuple(fc.nat(1_000_000), fc.integer({ min: 1, max: 255 })), { maxLength: 3 });
const run = fc.record({
  up: traffic,
  down: traffic,
  damageUp: damage,
  damageDown: damage,
  steps: fc.array(step, { maxLength: 60 }),
  splices: fc.boolean(),
});

type Traffic = typeof traffic extends fc.Arbitrary<infer T> ? T : never;

function bytesOf({ messages, closes }: Traffic, mask?: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (const { opcode, lengths } of messages) {
    for (const [index, length] of lengths.entries()) {
      const fin = index === lengths.length - 1;
      const payload = Buffer.alloc(length, 'payload ');
      frames.push(
        encodeFrame(index === 0 ? opcode : 0, payload, mask === undefined ? { fin } : { fin, mask }),
      );
    }
  }
  if (closes !== null) frames.push(encodeFrame(CLOSE, closeBody(closes), mask === undefined ? {} : { mask }));
  return Buffer.concat(frames);
}

/** Checks that a side has got the first bytes of what the other has sent, pings and a last close frame of the proxy aside. */
function assertBeginning(got: Buffer, sent: Buffer, isWhole: boolean): void {
  let at = 0;
  let length = 0;
  while (at < got.length) {
    const next = decodeFrame(got.subarray(at));
    const end = next === null ? got.length : at + next.length;
    const frame = got.subarray(at, end);
    if (frame.equals(sent.subarray(length, length + frame.length))) length += frame.length;
    else if (next?.frame.opcode === CLOSE) assert.equal(end, got.length, 'nothing follows a close frame');
    else assert.equal(next?.frame.opcode, PING, "only pings and close frames are the proxy's own");
    at = end;
  }
  if (isWhole) assert.equal(length, sent.length);
}

/** Sends a stream in pieces. */
class Sender {
  readonly sent: Buffer;
  readonly #traffic: Traffic;
  readonly channel: FakeChannel;
  #at = 0;
  #pieces = 0;

  constructor(
    traffic: Traffic,
    damaged: readonly (readonly [number, number])[],
    channel: FakeChannel,
    mask?: Buffer,
  ) {
    this.sent = bytesOf(traffic, mask);
    for (const [place, change] of damaged) {
      const at = Math.floor((place / 1_000_001) * this.sent.length);
      if (this.sent.length > 0) this.sent[at]! ^= change;
    }
    this.#traffic = traffic;
    this.channel = channel;
  }

  get handedOver(): number {
    return this.#at;
  }

  next(): boolean {
    if (this.#at === this.sent.length) return false;
    const { pieces } = this.#traffic;
    const length = pieces[this.#pieces++ % pieces.length]!;
    const part = this.sent.subarray(this.#at, this.#at + length);
    this.#at += part.length;
    this.channel.send(part);
    return true;
  }

  finish(): void {
    if (this.#traffic.fin) this.channel.sendFin();
  }
}

type Run = typeof run extends fc.Arbitrary<infer T> ? T : never;

function play({ up, down, damageUp, damageDown, steps, splices }: Run): void {
  const meter = new FakeMeter();
  const stage = new Stage({ idleTimeoutMs: 60_000, meter });
  const { client, endpoint } = stage;
  client.canSplice = endpoint.canSplice = splices;
  const senders = [new Sender(up, damageUp, client, MASK), new Sender(down, damageDown, endpoint)] as const;
  const settle = (): void => {
    meter.verdict = 'go';
    for (let round = 0; round < 4; round++) {
      meter.allow();
      client.drain();
      endpoint.drain();
    }
  };
  for (const { fromClient, event } of steps) {
    senders[fromClient ? 0 : 1].next();
    if (event === 'stall client') client.blocked = true;
    else if (event === 'stall endpoint') endpoint.blocked = true;
    else if (event === 'slow') meter.verdict = 'slow';
    else if (event === 'allow') meter.allow();
    else if (event === 'resume') settle();
    else if (event === 'tick') stage.advance(31_000);
    else if (event === 'tap' && !stage.session.hasEnded) stage.session.tap = new CheckingTap(senders);
    else if (event === 'end of tap') stage.session.tap = null;
    if (event === 'tick') senders[fromClient ? 1 : 0].next();
  }
  settle();
  while (senders[0].next() || senders[1].next()) settle();
  settle();
  const [sentUp, sentDown] = [senders[0].sent, senders[1].sent];
  const isDamaged = damageUp.length + damageDown.length > 0;
  const isOpen = !isDamaged && up.closes === null && down.closes === null;
  if (isOpen) assert.equal(stage.active, 1);
  if (!isDamaged && up.closes !== null && down.closes !== null) assert.equal(stage.active, 0);
  assertBeginning(endpoint.bytes, sentUp, isOpen);
  assertBeginning(client.bytes, sentDown, isOpen);
  assert.ok(client.mostWaiting <= 70_000 && endpoint.mostWaiting <= 70_000, 'what waits is bounded');
  senders[0].finish();
  senders[1].finish();
  settle();
  if (stage.active === 1) stage.session.end();
  stage.advance(20_000);
  client.sendFin();
  endpoint.sendFin();
  stage.advance(20_000);
  assertBeginning(endpoint.bytes, sentUp, false);
  assertBeginning(client.bytes, sentDown, false);
  assert.ok(stage.isOver, 'nothing is left');
  assert.equal(meter.waiting.length, 0, 'nothing waits for a limit');
  assert.equal(stage.lines.length, 2);
  assert.equal(stage.session.tap, null);
}

describe('any stream of frames', () => {
  it('arrives unchanged, and every session ends', () => {
    const whole = run.map((chosen) => ({ ...chosen, damageUp: [], damageDown: [] }));
    fc.assert(fc.property(whole, play), { numRuns: RUNS, seed: 20261128 });
  });

  it('ends its session if it is damaged, and only complete frames are relayed', () => {
    fc.assert(fc.property(run, play), { numRuns: RUNS, seed: 20261129 });
  });
});
