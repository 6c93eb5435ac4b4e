import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SilenceMeter } from '../../../../../src/primary/workers/stuck/silence-meter.ts';

const PERIOD_MS = 250;

/** Looks at one worker at these times; `beats` as it is read each time. Returns its silence at each look. */
function silencesOf(looks: readonly (readonly [now: number, beats: number])[]): number[] {
  const meter = new SilenceMeter<string>(PERIOD_MS);
  return looks.map(([now, beats]) => meter.sample(now, new Map([['worker', beats]])).get('worker')!);
}

/** Looks on time, one after the other, with the same number of beats. */
function onTime(from: number, count: number, beats: number): [number, number][] {
  return Array.from({ length: count }, (_, index) => [from + index * PERIOD_MS, beats]);
}

describe('the silence of a worker', () => {
  it('grows from sample to sample, and ends with a beat', () => {
    assert.deepEqual(silencesOf([...onTime(0, 4, 7), [1000, 8], [1250, 8]]), [0, 250, 500, 750, 0, 250]);
  });

  it('does not grow while it beats, for any count', () => {
    assert.deepEqual(silencesOf([[0, 2 ** 31 - 1], [250, -(2 ** 31)], [500, 3]]), [0, 0, 0]); // prettier-ignore
  });

  it('excludes time in which the process was stopped: the next sample is late', () => {
    // Stopped from 600 to 3,600,000.
    const looks: [number, number][] = [...onTime(0, 3, 7), [3_600_000, 7], [3_600_250, 7], [3_600_500, 8]];
    assert.deepEqual(silencesOf(looks), [0, 250, 500, 500, 750, 0]);
  });

  it('stays bounded for a worker that beats whenever the process runs, even if that stops often', () => {
    const looks: [number, number][] = [];
    for (let count = 0; count < 1000; count++)
      looks.push([count * 10_000, count], [count * 10_000 + 250, count]);
    assert.ok(Math.max(...silencesOf(looks)) <= 250);
  });

  it('excludes the time of a busy primary, and counts again after it', () => {
    const looks: [number, number][] = [[0, 7], [250, 7], [251 + 2 * PERIOD_MS, 7], [1001, 7]]; // prettier-ignore
    assert.deepEqual(silencesOf(looks), [0, 250, 250, 500]);
  });

  it('includes the time of a sample that is late by less than a period', () => {
    assert.deepEqual(silencesOf([[0, 7], [500, 7]]), [0, 500]); // prettier-ignore
  });

  it('starts again for a worker that was missing', () => {
    const meter = new SilenceMeter<string>(PERIOD_MS);
    const look = (now: number, names: string[]): Record<string, number> =>
      Object.fromEntries(meter.sample(now, new Map(names.map((name) => [name, 1]))));
    look(0, ['a', 'b']);
    assert.deepEqual(look(250, ['a']), { a: 250 });
    assert.deepEqual(look(500, ['a', 'b']), { a: 500, b: 0 });
    assert.deepEqual(look(750, ['a', 'b']), { a: 750, b: 250 });
  });
});
