import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import type { SessionTap } from '../../../../../src/telemetry/tap/tap.ts';
import { BINARY, PING, TEXT } from '../../../../support/websocket/raw-frames.ts';
import { TappedLeg, TapRig, endOf, facts, order } from '../tap-rig.ts';

const CONTINUATION = 0;
const PAYLOAD = order({ payload: true });
const COMPRESSED = deflateRawSync('hello', { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

function open(rig: TapRig, extensions = ''): SessionTap {
  const tap = rig.taps.watchSession(facts({ extensions }));
  assert.ok(tap !== null);
  tap.opened();
  return tap;
}

/** Returns the frames of short text messages. */
function textFrames(leg: TappedLeg, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => leg.encode(TEXT, 'x')));
}

/** A message in one or more frames, with control frames between them. */
const message = fc.record({
  binary: fc.boolean(),
  parts: fc.array(fc.nat({ max: 300 }), { minLength: 1, maxLength: 4 }),
  pings: fc.boolean(),
});

describe('a watched direction without CPU time', () => {
  it('counts the messages it misses, and continues in the next tick', () => {
    const rig = new TapRig(order());
    const tap = open(rig);
    const leg = new TappedLeg(tap);
    rig.msPerReading = 1;
    leg.read(textFrames(leg, 100));
    leg.read(textFrames(leg, 7));
    rig.handle();
    rig.msPerReading = 0;
    for (let tick = 0; tick < 60; tick++) rig.tick();
    leg.read(textFrames(leg, 5));
    rig.handle();
    assert.equal(rig.counts.told + rig.counts.cpu, 112);
    assert.ok(rig.counts.cpu > 70 && rig.counts.cpu < 107, `${rig.counts.cpu} lost`);
    tap.ended(endOf({ messagesUpstream: 112 }));
    rig.report();
    assert.equal(rig.lost.frames, rig.counts.cpu);
  });

  it('still shows some reads of each tick, so that quiet sessions do not pay for busy ones', () => {
    const rig = new TapRig(order());
    const busy = new TappedLeg(open(rig));
    rig.msPerReading = 0.1;
    for (let read = 0; read < 100; read++) busy.frame(TEXT, 'x');
    rig.handle();
    assert.ok(rig.counts.told < 40, `${rig.counts.told} told`);
    rig.tick();
    const { told } = rig.counts;
    rig.msPerReading = 0;
    const quiet = new TappedLeg(open(rig));
    quiet.frame(TEXT, 'x');
    rig.handle();
    assert.equal(rig.counts.told, told + 1);
  });

  it('shows all frames of a short read while its code is cold', () => {
    const rig = new TapRig(order());
    const leg = new TappedLeg(open(rig));
    rig.msPerReading = 0.5;
    leg.read(textFrames(leg, 12));
    rig.handle();
    assert.deepEqual(rig.counts, { told: 12, cpu: 0, lines: 0 });
  });

  it('shows reads at an even pace once the budget is spent, so that sessions do not wait for a burst', () => {
    const rig = new TapRig(order());
    const leg = new TappedLeg(open(rig));
    const isShown = (): boolean => {
      const { told } = rig.counts;
      leg.frame(TEXT, 'x');
      rig.handle();
      return rig.counts.told > told;
    };
    rig.msPerReading = 0.05;
    for (let read = 0; read < 100; read++) isShown();
    const shown = Array.from({ length: 400 }, isShown);
    assert.ok(shown.includes(true));
    shown.forEach((_, index) => {
      const burst = shown.slice(index, index + 10).filter(Boolean).length;
      assert.ok(burst <= 4, `${burst} of ten from ${index} on`);
    });
  });

  it('shows all frames of a short read after the long read of a busy session', () => {
    const rig = new TapRig(order());
    const busy = new TappedLeg(open(rig));
    const quiet = new TappedLeg(open(rig));
    rig.msPerReading = 0.05;
    busy.read(textFrames(busy, 1000));
    rig.handle();
    const { told } = rig.counts;
    assert.ok(told < 50, `${told} told`);
    quiet.read(textFrames(quiet, 12));
    rig.handle();
    assert.equal(rig.counts.told, told + 12);
  });

  it('counts the first messages of a session that it found without CPU time', () => {
    const rig = new TapRig();
    const session = rig.openSession();
    rig.start(order());
    rig.tick();
    const busy = new TappedLeg(open(rig));
    rig.msPerReading = 0.1;
    for (let read = 0; read < 100; read++) busy.frame(TEXT, 'x');
    rig.handle();
    const { told, cpu } = rig.counts;
    const found = new TappedLeg(session.tap);
    for (let read = 0; read < 5; read++) found.frame(TEXT, 'x');
    rig.handle();
    session.tap?.ended(endOf({ messagesUpstream: 5 }));
    rig.report();
    assert.equal(rig.counts.told + rig.counts.cpu - told - cpu, 5);
  });

  it('shows both sides of a busy session of an engine that hides the frames of one', () => {
    const rig = new TapRig(order());
    const tap = open(rig);
    const endpoint = new TappedLeg(tap, false);
    const told = { client: 0, endpoint: 0 };
    rig.msPerReading = 0.02;
    for (let message = 0; message < 20_000; message++) {
      tap.message(true, TEXT, Buffer.from('x'));
      endpoint.frame(TEXT, 'x');
      if (message % 100 === 99) rig.handle();
    }
    rig.msPerReading = 0;
    tap.ended(endOf({ messagesUpstream: 20_000, messagesDownstream: 20_000 }));
    for (const { from } of rig.frames()) told[from as 'client' | 'endpoint']++;
    assert.equal(rig.counts.told + rig.counts.cpu, 40_000);
    const ratio = told.client / told.endpoint;
    assert.ok(ratio > 0.5 && ratio < 2, `${told.client} of the client, ${told.endpoint} of the endpoint`);
  });

  it('counts messages until the end', () => {
    const rig = new TapRig(order());
    const tap = open(rig);
    const leg = new TappedLeg(tap);
    rig.msPerReading = 50;
    for (let read = 0; read < 9; read++) leg.frame(TEXT, 'x');
    tap.message(false, BINARY, Buffer.from('hidden'));
    tap.sent(true, PING, Buffer.alloc(0));
    tap.ended(endOf({ messagesUpstream: 9, messagesDownstream: 1 }));
    rig.report();
    assert.deepEqual(rig.lost, { frames: 10, sessions: 0 });
    assert.deepEqual(rig.counts, { told: 1, cpu: 10, lines: 0 });
  });

  it('continues for a while if a gap would hide all later messages', () => {
    const rig = new TapRig(PAYLOAD);
    const leg = new TappedLeg(open(rig, 'permessage-deflate'));
    const send = (): void => leg.frame(TEXT, COMPRESSED, { reserved: 4 });
    const texts = (): unknown[] => rig.frames().map(({ text, withheld }) => text ?? withheld);
    rig.msPerReading = 1;
    for (let message = 0; message < 5; message++) send();
    rig.handle();
    rig.msPerReading = 0;
    assert.deepEqual(
      texts(),
      Array.from({ length: 5 }, () => 'hello'),
    );
    rig.msPerReading = 1;
    for (let message = 0; message < 50; message++) send();
    rig.handle();
    rig.msPerReading = 0;
    for (let tick = 0; tick < 20; tick++) rig.tick();
    send();
    const later = texts();
    assert.ok(later.length > 1 && later.length < 40, `${later.length} shown`);
    assert.equal(later.at(-1), 'compressed');
    assert.equal(rig.counts.told + rig.counts.cpu, 56);
  });

  it('finishes a message of several frames, unless it is very long', () => {
    for (const [frames, isWhole] of [
      [4, true],
      [200, false],
    ] as const) {
      const rig = new TapRig(PAYLOAD);
      const leg = new TappedLeg(open(rig));
      rig.msPerReading = 0.2;
      for (let read = 0; read < 8; read++) leg.frame(TEXT, 'x');
      const parts = Array.from({ length: frames }, (_, index) =>
        leg.encode(index === 0 ? TEXT : CONTINUATION, 'part ', { fin: index === frames - 1 }),
      );
      leg.read(Buffer.concat(parts));
      rig.handle();
      rig.msPerReading = 0;
      for (let tick = 0; tick < 20; tick++) rig.tick();
      assert.equal(rig.counts.told < 8 + frames, !isWhole);
      assert.equal(rig.frames().at(-1)!.text, isWhole ? 'part '.repeat(frames) : undefined);
    }
  });

  it('keeps the compression context if it missed nothing', () => {
    const rig = new TapRig(PAYLOAD);
    const leg = new TappedLeg(open(rig, 'permessage-deflate'));
    const send = (): void => leg.frame(TEXT, COMPRESSED, { reserved: 4 });
    for (let message = 0; message < 3; message++) {
      rig.msPerReading = 50;
      send();
      rig.handle();
      rig.msPerReading = 0;
      for (let tick = 0; tick < 400; tick++) rig.tick();
    }
    assert.deepEqual(
      rig.frames().map(({ text }) => text),
      ['hello', 'hello', 'hello'],
    );
    assert.equal(rig.counts.cpu, 0);
  });

  it('shows or counts each message, for all splits of reads and all budgets', () => {
    const fraction = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 12 }),
        fc.array(fraction, { maxLength: 20 }),
        fc.array(
          fc.record({
            cost: fc.constantFrom(0, 0.3, 1, 3),
            isHandled: fc.boolean(),
            ticks: fc.nat({ max: 4 }),
          }),
          { minLength: 1 },
        ),
        fc.boolean(),
        fc.boolean(),
        fc.nat({ max: 5 }),
        (messages, cuts, turns, payload, fromClient, attachedAt) => {
          const rig = new TapRig();
          const session = rig.openSession();
          const leg = new TappedLeg(null, fromClient);
          const bytes = Buffer.concat(messages.flatMap((sent) => framesOf(leg, sent)));
          const ends = cuts.map((part) => Math.floor(part * bytes.length)).sort((one, other) => one - other);
          let at = 0;
          let before = 0;
          let told = 0;
          const collect = (): void => {
            for (const { opcode, fin, text, withheld } of rig.frames()) {
              if (opcode === 'ping') continue;
              if (fin !== false) told++;
              assert.ok(!payload || fin === false || text !== undefined || withheld === 'joined');
            }
          };
          [...ends, bytes.length].forEach((end, index) => {
            const { cost, isHandled, ticks } = turns[index % turns.length]!;
            if (index === attachedAt) {
              rig.msPerReading = 0;
              before = leg.tracker.messages;
              rig.start(order({ payload }));
              rig.tick();
              leg.tap = session.tap;
            }
            rig.msPerReading = cost;
            leg.read(bytes.subarray(at, end));
            if (isHandled) rig.handle();
            rig.msPerReading = 0;
            for (let tick = 0; tick < ticks; tick++) rig.tick();
            at = end;
          });
          const side = fromClient ? 'messagesUpstream' : 'messagesDownstream';
          leg.tap?.ended(endOf({ [side]: messages.length }));
          rig.report();
          const lost = rig.lost.frames;
          collect();
          assert.equal(lost, rig.counts.cpu);
          if (leg.tap !== null) assert.equal(told + lost, messages.length - before);
        },
      ),
      { numRuns: 500 },
    );
  });
});

function framesOf(
  leg: TappedLeg,
  { binary, parts, pings }: { binary: boolean; parts: number[]; pings: boolean },
): Buffer[] {
  return parts.flatMap((length, index) => {
    const opcode = index > 0 ? CONTINUATION : binary ? BINARY : TEXT;
    const frame = leg.encode(opcode, 'x'.repeat(length), { fin: index === parts.length - 1 });
    return pings ? [frame, leg.encode(PING, 'ping')] : [frame];
  });
}

describe('a watched session with malformed frames', () => {
  it('throws nothing, and releases all memory', () => {
    const bytes = fc.uint8Array({ maxLength: 80 }).map((array) => Buffer.from(array));
    const call = fc.record({
      kind: fc.constantFrom('received', 'received', 'skipped', 'message', 'sent', 'tick', 'opened'),
      fromClient: fc.boolean(),
      opcode: fc.nat({ max: 15 }),
      input: bytes,
      position: fc.record({
        messages: fc.nat({ max: 9 }),
        payloadLeft: fc.nat({ max: 90 }),
        heldPart: bytes,
      }),
    });
    const extensions = fc.constantFrom(
      '',
      'permessage-deflate',
      'permessage-deflate; client_no_context_takeover',
    );
    fc.assert(
      fc.property(fc.array(call), extensions, fc.boolean(), (calls, agreed, redacts) => {
        const rig = new TapRig(order({ payload: true, redact: redacts ? ['$..a', '/b+/'] : [] }));
        const tap = open(rig, agreed);
        for (const { kind, fromClient, opcode, input, position } of calls) {
          if (kind === 'received') tap.received(fromClient, position, input, 0, input.length);
          else if (kind === 'skipped') tap.skipped(fromClient, opcode * 9);
          else if (kind === 'message') tap.message(fromClient, opcode, input);
          else if (kind === 'sent') tap.sent(fromClient, opcode, input);
          else if (kind === 'opened') tap.opened();
          else rig.tick();
        }
        tap.ended(endOf({ messagesUpstream: 5 }));
        rig.stop();
        for (const record of rig.records()) assert.ok(record.type !== 'tap');
      }),
      { numRuns: 300 },
    );
  });
});
