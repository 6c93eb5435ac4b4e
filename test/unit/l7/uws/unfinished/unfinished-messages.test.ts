import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SAMPLE_MS } from '../../../../../src/l7/uws/unfinished/unfinished-messages.ts';
import type { FakeSession } from './unfinished-rig.ts';
import { MAX, MIB, Rig } from './unfinished-rig.ts';

describe('incomplete messages in the budget', () => {
  it('are only reserved for, at no cost, if the budget covers twice the worst case', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(4);
    for (const session of sessions) session.receive(MAX);
    rig.system.resident += 4 * MAX;
    rig.run(5000);
    assert.deepEqual([rig.system.lookUps, rig.system.samples, rig.counted], [0, 0, 0]);
    assert.equal(rig.budget.left, 4 * MAX);
  });

  it('are counted if the worst case exceeds that, and the largest are shed first', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(20);
    rig.run(200);
    for (const [index, session] of sessions.entries()) session.receive((index + 1) * 0.2 * MIB);
    rig.run(4000);
    assert.ok(rig.counted <= 8 * MAX && rig.counted > 4 * MAX, `${rig.counted}`);
    const shed = sessions.filter(({ shedFor }) => shedFor === 'unfinished');
    assert.ok(shed.length > 0);
    assert.deepEqual(shed, sessions.slice(-shed.length));
  });

  it('are found at once when the process grows', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(500);
    rig.run(2000);
    for (const session of sessions.slice(0, 12)) session.receive(MAX);
    rig.system.resident += 12 * MAX;
    rig.run(SAMPLE_MS);
    assert.ok(sessions.filter(({ shedFor }) => shedFor !== null).length >= 4);
    assert.ok(rig.counted <= 8 * MAX);
  });

  it('are found at once in sessions that have just started', () => {
    const rig = new Rig(8 * MAX);
    rig.open(20);
    rig.run(2000);
    const fresh = rig.open(300);
    for (const session of fresh.slice(0, 12)) session.receive(MAX);
    rig.system.resident += 12 * MAX;
    rig.run(SAMPLE_MS);
    assert.ok(fresh.filter(({ shedFor }) => shedFor !== null).length >= 4);
    assert.ok(rig.counted <= 8 * MAX);
  });

  it('are found in time if they arrive slowly and the process does not grow', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(200);
    rig.run(3000);
    for (let second = 0; second < 60; second++) {
      for (const session of sessions) session.receive(16 * 1024);
      rig.run(1000);
    }
    assert.ok(rig.counted <= 8 * MAX);
    assert.ok(sessions.some(({ shedFor }) => shedFor === 'unfinished'));
  });

  it('exclude delivered messages and unread bytes', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(50);
    for (let round = 0; round < 50; round++) {
      for (const session of sessions) {
        session.deliver(MIB);
        rig.system.unread.set(session.fd, 300_000);
        session.receive(300_000);
      }
      rig.system.resident += 8 * MIB;
      rig.run(200);
      for (const session of sessions) {
        rig.system.unread.delete(session.fd);
        session.messages++;
        session.messageBytes += 300_000 - 6;
      }
      rig.run(2000);
    }
    assert.equal(sessions.filter(({ shedFor }) => shedFor !== null).length, 0);
    assert.ok(rig.counted < MIB);
  });

  it('end with the connection of an ended session that uWS would keep', () => {
    const rig = new Rig(8 * MAX);
    const [known, small, cut] = rig.open(20) as [FakeSession, FakeSession, FakeSession];
    rig.run(500);
    for (const session of [known, cut]) session.receive(MIB);
    known.end(true);
    small.end(true);
    cut.end(false);
    assert.deepEqual(rig.system.endedReading, [known.fd]);
  });

  it("end with the connection even if the descriptor was unknown at the session's end", () => {
    const rig = new Rig(8 * MAX);
    rig.open(20);
    rig.run(500);
    const [holder, honest] = rig.open(2) as [FakeSession, FakeSession];
    for (const session of [holder, honest]) {
      if (session === holder) session.receive(MIB);
      rig.system.finishing.add(session.fd);
      session.end(true);
    }
    rig.run(500);
    assert.deepEqual(rig.system.endedReading, [holder.fd]);
  });

  it('of ended sessions are reserved while uWS may keep them', () => {
    const rig = new Rig(8 * MAX);
    for (const session of rig.open(3)) session.end(true);
    for (const session of rig.open(3)) session.end(false);
    rig.run(1000);
    assert.equal(rig.budget.left, 5 * MAX);
    rig.open(2);
    rig.run(1000);
    assert.ok(rig.system.lookUps > 0);
    rig.run(20_000);
    assert.equal(rig.budget.left, 6 * MAX);
  });

  it('are never searched at descriptors that another thread has reused', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(400);
    rig.run(2 * SAMPLE_MS);
    // Listed already: the fake refuses to disguise them.
    for (const { fd } of sessions.slice(0, 100)) rig.system.foreign.add(fd);
    rig.run(3000);
    assert.ok(rig.system.swaps > 0);
  });

  it('are no longer watched after enough sessions have ended', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(20);
    rig.run(500);
    sessions[0]!.receive(MIB);
    rig.run(3000);
    assert.ok(rig.counted > MIB / 2);
    for (const session of sessions.slice(4)) session.end(false);
    rig.run(SAMPLE_MS);
    assert.equal(rig.counted, 0);
    assert.equal(rig.budget.left, 4 * MAX);
    const { samples } = rig.system;
    rig.run(3000);
    assert.equal(rig.system.samples, samples);
  });

  it('are never counted and reserved together when watching stops', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(20);
    const [one, other, slow] = sessions as [FakeSession, FakeSession, FakeSession];
    rig.run(500);
    one.receive(MIB);
    other.receive(2 * MIB);
    rig.run(3000);
    rig.budget.setUpstream(slow, 4 * MAX - MIB);
    for (const session of sessions.slice(4)) session.end(false);
    rig.run(SAMPLE_MS);
    assert.equal(rig.counted, 0);
    assert.ok(sessions.every(({ shedFor }) => shedFor === null));
  });

  it('are looked up in parts if that takes long', () => {
    const rig = new Rig(8 * MAX);
    rig.open(20);
    rig.run(2000);
    const fresh = rig.open(3000);
    fresh[0]!.receive(MAX);
    rig.system.swapMs = 20;
    rig.system.resident += 12 * MAX;
    const start = rig.system.time;
    rig.run(SAMPLE_MS);
    assert.ok(rig.system.time - start <= 100, `${rig.system.time - start}`);
    rig.run(3000);
    assert.ok(rig.counted >= MAX - MIB);
  });

  it('are looked up in a fifth of the time if that takes long', () => {
    const rig = new Rig(8 * MAX);
    rig.open(2000);
    rig.system.swapMs = 20;
    const start = rig.system.time;
    let idleMs = 0;
    while (rig.system.time - start < 1000) {
      const before = rig.system.time;
      rig.run(SAMPLE_MS);
      if (rig.system.time - before === SAMPLE_MS) idleMs += SAMPLE_MS;
    }
    assert.ok(rig.system.time - start - idleMs > 100, 'sessions are looked up');
    assert.ok(idleMs >= 650, `${idleMs} ms without a look-up`);
  });

  it('are counted again after a shortage of descriptors, in smaller groups', () => {
    const rig = new Rig(8 * MAX);
    const sessions = rig.open(300);
    rig.system.freeDescriptors = 20;
    for (const session of sessions.slice(0, 4)) session.receive(MIB);
    rig.run(5000);
    assert.ok(rig.counted > 3 * MIB, `${rig.counted}`);
    assert.equal(rig.warnings.length, 1);
  });

  it('cause one warning if system calls are off, and only if they could fill the budget', () => {
    const rig = new Rig(8 * MAX, false);
    rig.open(4);
    rig.run(1000);
    assert.equal(rig.warnings.length, 0);
    rig.open(4);
    rig.run(1000);
    assert.equal(rig.warnings.length, 1);
  });

  it('cause one warning if a lookup fails', () => {
    const rig = new Rig(8 * MAX);
    rig.system.broken = new Error('no /proc');
    rig.open(20);
    rig.run(1000);
    assert.deepEqual(rig.warnings, [{ reason: 'no /proc' }]);
    assert.equal(rig.system.lookUps, 1);
  });
});
