import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FramePosition, TappedHandshake } from '../../../../src/telemetry/tap/tap.ts';
import { TEXT, encodeFrame } from '../../../support/websocket/raw-frames.ts';
import { TappedLeg, TapRig, endOf, facts, order } from './tap-rig.ts';

const FAULT = new Error('a fault of the tap');
const FRAME = encodeFrame(TEXT, 'hello');

function fail(): never {
  throw FAULT;
}

/** A position that cannot be read. */
const BROKEN: FramePosition = {
  messages: 0,
  payloadLeft: 0,
  get heldPart() {
    return fail();
  },
};

describe('a fault in the code of a tap', () => {
  it('ends only the watch of its session, which does not notice', () => {
    const rig = new TapRig(order());
    const broken = rig.taps.watchSession(facts())!;
    const other = rig.taps.watchSession(facts({ number: 2 }))!;
    broken.opened();
    other.opened();
    broken.received(true, BROKEN, FRAME, 0, FRAME.length);
    new TappedLeg(broken, false).frame(TEXT, 'hello');
    new TappedLeg(other, false).frame(TEXT, 'hello');
    broken.ended(endOf());
    const sessions = rig
      .records()
      .map((record) => ('session' in record ? `${record.type} ${record.session}` : ''));
    assert.deepEqual(sessions, ['session r0-1', 'session r0-2', 'frame r0-2']);
    assert.deepEqual(rig.faults, [FAULT]);
  });

  it('counts as a session lost by the tap', () => {
    const rig = new TapRig(order());
    const tap = rig.taps.watchSession(facts())!;
    tap.opened();
    tap.received(true, BROKEN, FRAME, 0, FRAME.length);
    rig.report();
    assert.equal(rig.lost.sessions, 1);
  });

  it('leaves a new session unwatched', () => {
    const rig = new TapRig(order());
    const handshake: TappedHandshake = {
      target: '/',
      subprotocol: '',
      get headers() {
        return fail();
      },
    };
    assert.equal(rig.taps.watchSession(facts({ handshake })), null);
    assert.deepEqual(rig.faults, [FAULT]);
  });

  it('ends only the walk over open sessions', () => {
    const rig = new TapRig();
    const broken = rig.openSession();
    Object.defineProperty(broken, 'hasEnded', { get: fail });
    rig.start(order());
    rig.tick();
    assert.deepEqual(rig.faults, [FAULT]);
    assert.notEqual(rig.taps.watchSession(facts({ number: 2 })), null);
    rig.tick();
    assert.equal(rig.faults.length, 1);
  });

  it('is reported at most once per tick', () => {
    const rig = new TapRig(order());
    const breakOne = (number: number): void => {
      const tap = rig.taps.watchSession(facts({ number }))!;
      tap.opened();
      tap.received(true, BROKEN, FRAME, 0, FRAME.length);
    };
    for (let number = 1; number <= 5; number++) breakOne(number);
    assert.equal(rig.faults.length, 1);
    rig.tick();
    breakOne(6);
    assert.equal(rig.faults.length, 2);
  });
});
