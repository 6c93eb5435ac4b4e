/** The points of the charts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HISTORY_S, History } from '../../../../src/page/model/history.ts';
import { START_MS, busyFrame, frameOf, workerOf } from '../../../support/page/frames.ts';

function counted(
  second: number,
  sessions: number,
  changes: Parameters<typeof frameOf>[0] = {},
): ReturnType<typeof frameOf> {
  const frame = frameOf({ at: START_MS + second * 1000, uptimeSeconds: 100 + second, ...changes });
  return { ...frame, counters: { ...frame.counters, sessions } };
}

describe('the frame history', () => {
  it('computes rates from two frames', () => {
    const history = new History();
    history.add(counted(0, 100));
    history.add(counted(2, 150));
    assert.deepEqual(history.columns.handshakes, [null, 25]);
  });

  it('starts rates over after a restart of the process', () => {
    const history = new History();
    history.add(counted(0, 1000));
    history.add(counted(1, 3, { pid: 101, uptimeSeconds: 1 }));
    history.add(counted(2, 5, { pid: 101, uptimeSeconds: 2 }));
    assert.deepEqual(history.columns.handshakes, [null, null, 2]);
  });

  it('has a gap where frames are missing', () => {
    const history = new History();
    history.add(counted(0, 0));
    history.add(counted(60, 60));
    assert.deepEqual(
      history.times.map((time) => time - START_MS / 1000),
      [0, 1, 60],
    );
    assert.deepEqual(history.columns.sessions, [0, null, 0]);
    assert.deepEqual(history.columns.handshakes, [null, null, 1]);
  });

  it('keeps ten minutes of points, with all series equally long', () => {
    const history = new History();
    for (let second = 0; second < 3 * HISTORY_S; second++) history.add(busyFrame(second));
    assert.equal(history.times.length, HISTORY_S + 1);
    for (const values of Object.values(history.columns)) assert.equal(values.length, history.times.length);
    for (const { places, rest } of [history.errors, history.lag]) {
      for (const { values } of places) assert.equal(values.length, history.times.length);
      assert.equal(rest.length, history.times.length);
    }
  });

  it('says which time its points cover', () => {
    const history = new History();
    const coverages: string[] = [];
    for (let second = 0; second <= 2 * HISTORY_S; second++) {
      history.add(busyFrame(second));
      if ([0, 25, 125, 590, HISTORY_S, 2 * HISTORY_S].includes(second)) coverages.push(history.coverage);
    }
    assert.deepEqual(coverages, ['0s', '25s', '2m 05s', '9m 50s', '10 minutes', '10 minutes']);
  });

  it("starts over when the proxy's clock is set back far", () => {
    const history = new History();
    history.add(counted(1000, 0));
    history.add(counted(0, 0));
    assert.deepEqual(history.times, [START_MS / 1000]);
  });

  it('gives each of the largest errors and lags its own series, and combines the others', () => {
    const history = new History();
    const workers = Array.from({ length: 9 }, (_, index) =>
      workerOf(`l7-${index}`, { lagSeconds: index / 100 }),
    );
    for (let second = 0; second < 200; second++) {
      const errors = Array.from({ length: 9 }, (_, index) => ({
        kind: 'handshake',
        reason: `r${index}`,
        count: second * (index + 1),
      }));
      history.add(counted(second, 0, { errors, workers }));
    }
    const sum = [...history.errors.places.map(({ values }) => values.at(-1)!), history.errors.rest.at(-1)!];
    assert.equal(Math.round(sum.reduce((a, b) => a + b)), 45);
    assert.ok(history.errors.places.some(({ name }) => name === 'handshake r8'));
    assert.ok(history.lag.places.some(({ name }) => name === 'l7-8'));
    assert.equal(history.lag.places.length, 5);
  });
});
