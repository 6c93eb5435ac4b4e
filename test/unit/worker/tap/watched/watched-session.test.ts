import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants, createDeflateRaw, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import type { SessionTap } from '../../../../../src/telemetry/tap/tap.ts';
import { BINARY, CLOSE, PING, TEXT, closeBody } from '../../../../support/websocket/raw-frames.ts';
import { TappedLeg, TapRig, endOf, facts, order } from '../tap-rig.ts';

const CONTINUATION = 0;
const DEFLATED = { reserved: 4 } as const;
const WITH_CONTEXT = 'permessage-deflate';
const WITHOUT_CONTEXT = 'permessage-deflate; client_no_context_takeover; server_no_context_takeover';

/** Opens a session that all taps of the rig watch. */
function open(rig: TapRig, extensions = '', number = 1): SessionTap {
  const tap = rig.taps.watchSession(facts({ extensions, number }));
  assert.ok(tap !== null);
  tap.opened();
  return tap;
}

/** Compresses messages one after the other, each with the context of those before. */
class Compressor {
  readonly #stream = createDeflateRaw();
  readonly #chunks: Buffer[] = [];

  constructor() {
    this.#stream.on('data', (chunk: Buffer) => this.#chunks.push(chunk));
  }

  async compress(text: string): Promise<Buffer> {
    this.#stream.write(text);
    await new Promise<void>((resolve) => this.#stream.flush(constants.Z_SYNC_FLUSH, () => resolve()));
    return Buffer.concat(this.#chunks.splice(0)).subarray(0, -4);
  }
}

function compressed(text: string): Buffer {
  return deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

const PAYLOAD = order({ payload: true });

describe('a watched session', () => {
  it('shows frames of both sides and of the proxy, without payloads', () => {
    const rig = new TapRig(order());
    const tap = open(rig);
    const client = new TappedLeg(tap);
    const endpoint = new TappedLeg(tap, false);
    client.frame(TEXT, 'hel', { fin: false });
    client.frame(PING, 'secret');
    client.frame(CONTINUATION, 'lo');
    endpoint.frame(BINARY, Buffer.alloc(70_000));
    tap.sent(true, PING, Buffer.from('ping'));
    tap.sent(false, CLOSE, closeBody(1001, 'going'));
    endpoint.frame(CLOSE, closeBody(4000, 'reason'));
    client.frame(CLOSE);
    assert.deepEqual(rig.frames(), [
      { from: 'client', opcode: 'text', fin: false, length: 3 },
      { from: 'client', opcode: 'ping', length: 6 },
      { from: 'client', opcode: 'continuation', length: 2, size: 5 },
      { from: 'endpoint', opcode: 'binary', length: 70_000 },
      { from: 'proxy', to: 'client', opcode: 'ping', length: 4 },
      { from: 'proxy', to: 'endpoint', opcode: 'close', length: 7, code: 1001 },
      { from: 'endpoint', opcode: 'close', length: 8, code: 4000 },
      { from: 'client', opcode: 'close', length: 0 },
    ]);
  });

  it('shows whole messages on their last frame, and close reasons, with payloads enabled', () => {
    const rig = new TapRig(PAYLOAD);
    const tap = open(rig);
    const client = new TappedLeg(tap);
    client.frame(TEXT, 'hel', { fin: false });
    client.frame(PING, 'who');
    client.frame(CONTINUATION, 'lo');
    for (const byte of client.encode(TEXT, 'byte by byte')) client.read(Buffer.from([byte]));
    client.frame(CLOSE, closeBody(4000, 'reason'));
    tap.sent(false, CLOSE, closeBody(1001, 'going'));
    tap.ended(endOf({ messagesUpstream: 2 }));
    const records = rig.records();
    const last = records.at(-1);
    assert.equal(last?.type === 'end' && last.reason, 'bye');
    assert.deepEqual(
      records.flatMap((record) => (record.type === 'frame' ? [record.text] : [])),
      [undefined, 'who', 'hello', 'byte by byte', 'reason', 'going'],
    );
  });

  it('omits the reason of the end without payloads', () => {
    const rig = new TapRig(order());
    open(rig).ended(endOf());
    const last = rig.records().at(-1);
    assert.equal(last?.type === 'end' && last.reason, undefined);
  });

  it('shows the messages of an engine that hides frames', () => {
    const rig = new TapRig(PAYLOAD);
    const tap = open(rig);
    tap.message(true, TEXT, Buffer.from('hello'));
    tap.message(true, CLOSE, closeBody(1000, 'bye'));
    tap.ended(endOf({ messagesUpstream: 1 }));
    assert.deepEqual(rig.frames(), [
      { from: 'client', opcode: 'text', length: 5, text: 'hello' },
      { from: 'client', opcode: 'close', length: 5, code: 1000, text: 'bye' },
    ]);
    assert.equal(rig.lost.frames, 0);
  });

  it('cuts long messages, and withholds them if there are rules', () => {
    const rig = new TapRig(PAYLOAD, order({ id: 'rules', payload: true, redact: ['/x/'] }));
    const client = new TappedLeg(open(rig));
    client.frame(TEXT, 'y'.repeat(100_000));
    client.frame(TEXT, 'y'.repeat(30_000), { fin: false });
    client.frame(CONTINUATION, `${'y'.repeat(30_000)}x`);
    const texts = (id: string): unknown[] => rig.frames(id).map(({ text, withheld }) => text ?? withheld);
    assert.deepEqual(
      texts('rules').map((text) => String(text).slice(-10)),
      ['too_long', 'undefined', 'yyyyyyyyyy'],
    );
    assert.deepEqual(
      texts('tap').map((text) => String(text).length),
      [4096, 9, 4096],
    );
  });

  it("inflates messages with context takeover from the session's start", async () => {
    const rig = new TapRig(PAYLOAD);
    const tap = open(rig, WITH_CONTEXT);
    for (const fromClient of [true, false]) {
      const leg = new TappedLeg(tap, fromClient);
      const compressor = new Compressor();
      leg.frame(TEXT, await compressor.compress('hello hello hello'), DEFLATED);
      leg.frame(TEXT, 'plain');
      const second = await compressor.compress('hello hello again');
      leg.frame(TEXT, second.subarray(0, 3), { ...DEFLATED, fin: false });
      leg.frame(CONTINUATION, second.subarray(3));
      const frames = rig.frames();
      assert.deepEqual(
        frames.map(({ text }) => text),
        ['hello hello hello', 'plain', undefined, 'hello hello again'],
      );
      assert.deepEqual(
        frames.map(({ compressed: flag }) => flag),
        [true, undefined, true, true],
      );
      assert.deepEqual(
        frames.map(({ size }) => size),
        [17, undefined, undefined, 17],
      );
    }
  });

  it('withholds compressed messages after a missed context', async () => {
    const rig = new TapRig();
    const session = rig.openSession({ extensions: WITH_CONTEXT });
    rig.start(PAYLOAD);
    rig.tick();
    const leg = new TappedLeg(session.tap);
    leg.frame(TEXT, await new Compressor().compress('hello'), DEFLATED);
    const [frame] = rig.frames();
    assert.deepEqual([frame?.withheld, frame?.size, frame?.compressed], ['compressed', undefined, true]);
  });

  it('inflates messages without context takeover at any time', () => {
    const rig = new TapRig();
    const session = rig.openSession({ extensions: WITHOUT_CONTEXT });
    rig.start(PAYLOAD);
    rig.tick();
    const leg = new TappedLeg(session.tap);
    leg.frame(TEXT, compressed('hello'), DEFLATED);
    leg.frame(TEXT, Buffer.from([0xff, 0xff]), DEFLATED);
    leg.frame(TEXT, compressed('again'), DEFLATED);
    assert.deepEqual(
      rig.frames().map(({ text, withheld }) => text ?? withheld),
      ['hello', 'compressed', 'again'],
    );
  });

  it('uses at most 64 inflation contexts, and releases them', async () => {
    const rig = new TapRig(PAYLOAD);
    const message = await new Compressor().compress('hello');
    const taps = Array.from({ length: 66 }, (_, index) => open(rig, WITH_CONTEXT, index + 1));
    const send = (tap: SessionTap): void => new TappedLeg(tap).frame(TEXT, message, DEFLATED);
    for (const tap of taps.slice(0, 65)) send(tap);
    taps[0]!.ended(endOf({ messagesUpstream: 1 }));
    send(taps[65]!);
    const told = rig.frames().map(({ text, withheld }) => text ?? withheld);
    assert.deepEqual([told[63], told[64], told[65]], ['hello', 'compressed', 'hello']);
  });

  it('keeps sessions and sides apart, however their reads interleave', () => {
    const turn = fc.record({ leg: fc.nat({ max: 3 }), bytes: fc.nat({ max: 30 }) });
    fc.assert(
      fc.property(fc.array(turn, { maxLength: 60 }), (turns) => {
        const rig = new TapRig(PAYLOAD);
        const taps = [open(rig, '', 1), open(rig, '', 2)];
        const legs = taps.flatMap((tap) => [new TappedLeg(tap, true), new TappedLeg(tap, false)]);
        const texts = legs.map((_, leg) => ['one', 'two', 'three'].map((word) => `${word} of ${leg}`));
        const unread = legs.map((leg, index) =>
          Buffer.concat(
            texts[index]!.flatMap((text) => [
              leg.encode(TEXT, text.slice(0, 2), { fin: false }),
              leg.encode(PING, 'ping'),
              leg.encode(CONTINUATION, text.slice(2)),
            ]),
          ),
        );
        const read = (leg: number, bytes: number): void => {
          const input = unread[leg]!.subarray(0, bytes);
          unread[leg] = unread[leg]!.subarray(input.length);
          legs[leg]!.read(input);
        };
        for (const { leg, bytes } of turns) read(leg, bytes);
        legs.forEach((_, leg) => read(leg, Infinity));
        taps.forEach((tap) => tap.ended(endOf({ messagesUpstream: 3, messagesDownstream: 3 })));
        const shown = rig.records().filter((record) => record.type === 'frame');
        const of = (session: number, from: string): unknown[] =>
          shown
            .filter(({ opcode, fin }) => opcode === 'continuation' && fin !== false)
            .filter((frame) => frame.session.endsWith(`-${session}`) && frame.from === from)
            .map(({ text }) => text);
        assert.deepEqual([of(1, 'client'), of(1, 'endpoint'), of(2, 'client'), of(2, 'endpoint')], texts);
        assert.equal(rig.lost.frames, 0);
      }),
    );
  });

  it('marks a message that it joined in the middle', () => {
    const rig = new TapRig();
    const session = rig.openSession();
    const leg = new TappedLeg(null);
    leg.frame(TEXT, 'lost');
    leg.frame(TEXT, 'one', { fin: false });
    rig.start(PAYLOAD);
    rig.tick();
    leg.tap = session.tap;
    leg.frame(CONTINUATION, 'two');
    leg.frame(TEXT, 'three');
    assert.deepEqual(rig.frames(), [
      { from: 'client', opcode: 'continuation', length: 3, withheld: 'joined' },
      { from: 'client', opcode: 'text', length: 5, text: 'three' },
    ]);
    assert.equal(rig.lost.frames, 0, 'what came before the tap is not lost');
  });

  it('starts at the next frame if it joined inside one', () => {
    const rig = new TapRig();
    const session = rig.openSession();
    const leg = new TappedLeg(null);
    const [one, two] = [leg.encode(TEXT, 'the first message'), leg.encode(TEXT, 'the second')];
    leg.read(one.subarray(0, 12));
    rig.start(PAYLOAD);
    rig.tick();
    leg.tap = session.tap;
    leg.read(Buffer.concat([one.subarray(12), two.subarray(0, 3)]));
    leg.read(two.subarray(3));
    assert.deepEqual(rig.frames(), [{ from: 'client', opcode: 'text', length: 10, text: 'the second' }]);
  });

  it('withholds a message with a missed part', () => {
    const rig = new TapRig(PAYLOAD);
    const tap = open(rig);
    const leg = new TappedLeg(tap, false);
    const bytes = leg.encode(TEXT, 'x'.repeat(1000));
    leg.read(bytes.subarray(0, 100));
    tap.skipped(false, 804);
    leg.tracker.skip(804);
    leg.read(bytes.subarray(904));
    leg.frame(TEXT, 'next');
    assert.deepEqual(
      rig.frames().map(({ text, withheld }) => text ?? withheld),
      ['joined', 'next'],
    );
  });

  it('shows no message with a gap to a tap that joins in its middle', () => {
    const rig = new TapRig(order({ payload: true, maxPayloadBytes: 3 }));
    const session = rig.openSession();
    const tap = open(rig);
    session.tap = tap;
    const client = new TappedLeg(tap);
    client.frame(TEXT, 'abcdef', { fin: false });
    rig.start(order({ id: 'second', payload: true }));
    rig.tick();
    client.frame(CONTINUATION, 'ghi');
    client.frame(TEXT, 'abcdef');
    assert.deepEqual(
      rig.frames('second').map(({ text, cut }) => [text, cut]),
      [
        ['abc', true],
        ['abcdef', undefined],
      ],
    );
  });

  it('reports compression to another tap that shows no payloads', async () => {
    const rig = new TapRig(order());
    const tap = open(rig, WITH_CONTEXT);
    const leg = new TappedLeg(tap);
    const compressor = new Compressor();
    leg.frame(TEXT, await compressor.compress('hello'), DEFLATED);
    const [frame] = rig.frames();
    assert.deepEqual([frame?.compressed, frame?.size, frame?.text], [true, undefined, undefined]);
  });
});
