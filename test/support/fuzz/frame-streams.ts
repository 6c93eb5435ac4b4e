/** Mutated frames, tracked in pieces, and compared with a reader of whole streams and with the receiver of `ws`. */
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { isSendableCloseCode } from '../../../src/wire/frames/close-codes.ts';
import { FrameTracker, type FrameRules } from '../../../src/wire/frames/frame-tracker.ts';
import { closeBody, encodeFrame } from '../websocket/raw-frames.ts';
import { cutPlaces, edited, edits, readEnds } from './mutations.ts';
import { faultOfWs } from './ws-receiver.ts';

const MAX_MESSAGE_BYTES = 70_000;
/** The longest control frame, without its last byte. */
const MAX_HELD_BYTES = 130;
const MASK = Buffer.from([0x5a, 0x01, 0xc3, 0x88]);

/** All that a tracker has told; the same however the stream is cut. */
interface Outcome {
  readonly passed: Buffer;
  readonly findings: readonly string[];
  readonly messages: number;
  readonly bytes: number;
  readonly payloadLeft: number;
  readonly heldBytes: number;
}

/** Keeps what it is told, and swallows pongs with an odd number of bytes. */
class Tracker extends FrameTracker {
  readonly findings: string[] = [];
  readonly passed: Buffer[] = [];

  override forwardFrames(input: Buffer, start: number, end: number): void {
    assert.ok(start < end && !this.isStopped);
    this.passed.push(Buffer.from(input.subarray(start, end)));
  }
  override framePing(payload: Buffer): void {
    this.findings.push(`ping ${payload.toString('hex')}`);
  }
  override framePong(payload: Buffer): boolean {
    this.findings.push(`pong ${payload.toString('hex')}`);
    return !isSwallowed(payload);
  }
  override frameClose(code: number, reason: Buffer): void {
    this.findings.push(`close ${code} ${reason.toString('hex')}`);
  }
  override frameFailed(code: number, reason: string): void {
    assert.equal(this.payloadLeft, 0);
    this.findings.push(`fault ${code} ${reason}`);
  }
}

function isSwallowed(payload: Buffer): boolean {
  return payload.length % 2 === 1;
}

const MAX_READ_BYTES = 256 * 1024;
/** One memory for all reads, which is overwritten after each. A read begins at any of its first 8 bytes. */
const shared = Buffer.alloc(MAX_READ_BYTES + 8);

function track(rules: FrameRules, bytes: Buffer, ends: readonly number[]): Outcome {
  const tracker = new Tracker(rules);
  let at = 0;
  for (const end of ends) {
    while (at < end) {
      const start = at & 7;
      const size = Math.min(end - at, MAX_READ_BYTES);
      bytes.copy(shared, start, at, at + size);
      tracker.track(shared, start, start + size);
      shared.fill(0x88, start, start + size);
      assert.ok(tracker.heldPart.length <= MAX_HELD_BYTES);
      at += size;
    }
  }
  const { findings, messages, bytes: payload, payloadLeft, heldPart } = tracker;
  const heldBytes = heldPart.length;
  return {
    passed: Buffer.concat(tracker.passed),
    findings,
    messages,
    bytes: payload,
    payloadLeft,
    heldBytes,
  };
}

/** Computes the events that a tracker must report for a whole stream, one frame after the other. */
function trackWhole(rules: FrameRules, bytes: Buffer): Outcome {
  const passed: Buffer[] = [];
  const findings: string[] = [];
  let [messages, payloadBytes, payloadLeft, open] = [0, 0, 0, -1];
  for (let at = 0; ;) {
    const outcome = (heldBytes = 0): Outcome => ({
      passed: Buffer.concat(passed),
      findings,
      messages,
      bytes: payloadBytes,
      payloadLeft,
      heldBytes,
    });
    const fault = (text: string): Outcome => {
      findings.push(`fault ${text}`);
      return outcome();
    };
    const rest = bytes.subarray(at);
    if (rest.length < 2) return outcome(rest.length);
    const [first, second] = [rest[0]!, rest[1]!];
    const masked = second > 127;
    const short = second & 127;
    const lengthBytes = short === 127 ? 8 : short === 126 ? 2 : 0;
    const head = 2 + lengthBytes + (masked ? 4 : 0);
    const opcode = first & 15;
    const fin = first > 127;
    const bits = (first >> 4) & 7;
    const isFirst = opcode === 1 || opcode === 2;
    const allowed = rules.extensions === 'any' ? 7 : rules.extensions === 'deflate' && isFirst ? 4 : 0;
    const isUnknown = (opcode > 2 && opcode < 8) || opcode > 10;
    // An unknown opcode may have the permessage-deflate bit here: the opcode itself is checked below.
    const mayMark = isUnknown && opcode < 8 && rules.extensions === 'deflate' ? 4 : allowed;
    if ((bits & ~mayMark) !== 0) return fault('1002 reserved bit set');
    if (masked !== rules.masked)
      return fault(masked ? '1002 masked frame from a server' : '1002 unmasked frame from a client');
    if (isUnknown) return fault('1002 unknown opcode');
    if (opcode > 7) {
      if (!fin) return fault('1002 fragmented control frame');
      if (short > 125) return fault('1002 control frame over 125 bytes');
    } else if (opcode === 0) {
      if (open < 0) return fault('1002 continuation without a message');
    } else if (open >= 0) {
      return fault('1002 new message inside a fragmented one');
    }
    if (rest.length < head) return outcome(rest.length);
    const long =
      lengthBytes === 8 ? rest.readBigUInt64BE(2) : lengthBytes === 2 ? BigInt(rest.readUInt16BE(2)) : 0n;
    if (long >= 2n ** 63n) return fault('1002 frame too long');
    if ((lengthBytes === 2 && long < 126n) || (lengthBytes === 8 && long < 65_536n))
      return fault('1002 length not minimal');
    const length = lengthBytes === 0 ? short : Number(long);
    if (opcode < 8) {
      const sum = Math.max(open, 0) + length;
      if (sum > rules.maxMessageSize) return fault('1009 message too long');
      open = fin ? -1 : sum;
      const taken = Math.min(length, rest.length - head);
      payloadBytes += taken;
      passed.push(rest.subarray(0, head + taken));
      at += head + taken;
      if (taken < length) {
        payloadLeft = length - taken;
        return outcome();
      }
      if (fin) messages++;
      continue;
    }
    if (rest.length < head + length) return outcome(rest.length);
    const mask = masked ? rest.subarray(head - 4, head) : Buffer.alloc(4);
    const payload = Buffer.from(rest.subarray(head, head + length)).map(
      (byte, index) => byte ^ mask[index & 3]!,
    );
    const content = Buffer.from(payload);
    at += head + length;
    if (opcode === 8) {
      const code = length === 0 ? 1005 : length === 1 ? 0 : content.readUInt16BE(0);
      if (length > 0 && !isSendableCloseCode(code)) return fault('1002 bad close code');
      if (!isUtf8(content.subarray(2))) return fault('1002 close reason is not UTF-8');
      passed.push(rest.subarray(0, head + length));
      findings.push(`close ${code} ${content.subarray(2).toString('hex')}`);
      return outcome();
    }
    findings.push(`${opcode === 9 ? 'ping' : 'pong'} ${content.toString('hex')}`);
    if (opcode === 9 || !isSwallowed(content)) passed.push(rest.subarray(0, head + length));
  }
}

const payload = fc.oneof(
  { weight: 6, arbitrary: fc.nat(10) },
  { weight: 1, arbitrary: fc.constantFrom(125, 126, 127, 300, 65_535, 65_536) },
);

const frame = fc.record({
  opcode: fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom(0, 0, 1, 2, 9, 10) },
    { weight: 1, arbitrary: fc.constantFrom(8, 3, 15) },
  ),
  fin: fc.boolean(),
  reserved: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.constantFrom(4, 4, 2, 1)),
  length: payload,
});

/** Frames in an order that is often legal. */
const stream = fc.array(frame, { minLength: 1, maxLength: 6 }).map((frames) => {
  let isOpen = false;
  return frames.map(({ opcode, fin, reserved, length }) => {
    if (opcode >= 8)
      return { opcode, fin: opcode !== 9 || length !== 3 || fin, reserved, length: length % 126 };
    const wanted = isOpen ? 0 : opcode === 0 ? 2 : opcode;
    isOpen = !fin;
    return { opcode: length === 10 ? opcode : wanted, fin, reserved, length };
  });
});

function encode(
  frames: readonly { opcode: number; fin: boolean; reserved: number; length: number }[],
  masked: boolean,
): Buffer {
  return Buffer.concat(
    frames.map(({ opcode, fin, reserved, length }) => {
      const body =
        opcode === 8 && length > 1
          ? closeBody(1000 + length, 'x'.repeat(length - 2))
          : Buffer.alloc(length, 'a');
      return encodeFrame(opcode, body, masked ? { fin, reserved, mask: MASK } : { fin, reserved });
    }),
  );
}

const PIECES = [
  [0x81, 0x00],
  [0x81, 0x80, 1, 2, 3, 4],
  [0x88, 0x00],
  [0x88, 0x02, 0x03, 0xe8],
  [0x82, 0x7e, 0x00, 0x7e],
  [0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0],
  [0x82, 0x7f, 0x80, 0, 0, 0, 0, 0, 0, 0],
  [0x82, 0x7f, 0, 0x20, 0, 0, 0, 0, 0, 0],
  [0x00, 0x00],
  [0x01, 0x00],
  [0xff, 0xff],
].map((bytes) => Buffer.from(bytes));

/** Streams of a sender, mostly damaged. @param masked whether it is a client */
export function mutatedFrames(masked: boolean): fc.Arbitrary<Buffer> {
  return fc.tuple(stream, edits(PIECES)).map(([frames, list]) => edited(encode(frames, masked), list));
}

/** Tracks mutated streams. Throws if one is followed in two ways, or not as `ws` reads it. */
export function fuzzFrameStreams(runs: number, seed: number): void {
  const found = { whole: 0, faults: 0, closes: 0 };
  fc.assert(
    fc.property(
      fc
        .boolean()
        .chain((masked) => fc.record({ masked: fc.constant(masked), bytes: mutatedFrames(masked) })),
      fc.constantFrom('none', 'deflate', 'any'),
      cutPlaces,
      ({ masked, bytes }, extensions, places) => {
        const rules: FrameRules = { masked, extensions, maxMessageSize: MAX_MESSAGE_BYTES };
        const expected = trackWhole(rules, bytes);
        assert.deepEqual(track(rules, bytes, [bytes.length]), expected);
        assert.deepEqual(track(rules, bytes, readEnds(bytes.length, places)), expected);
        if (bytes.length < 1000)
          assert.deepEqual(track(rules, bytes, readEnds(bytes.length, 'each byte')), expected);
        const last = expected.findings.at(-1) ?? '';
        if (last.startsWith('fault')) found.faults++;
        else if (last.startsWith('close')) found.closes++;
        else found.whole++;
        // ws takes lengths that are not minimal, inflates what is marked as compressed, and does not wait for a mask.
        if (extensions !== 'none' || expected.heldBytes > 0) return;
        if (last.endsWith('length not minimal') || last.endsWith('not UTF-8')) return;
        const fault = faultOfWs(bytes, masked, MAX_MESSAGE_BYTES);
        assert.equal(fault !== null, last.startsWith('fault'), `ws: ${String(fault)}, here: ${last}`);
      },
    ),
    { numRuns: runs, seed },
  );
  for (const [kind, count] of Object.entries(found)) assert.ok(count > runs / 50, `${count} ${kind}`);
}
