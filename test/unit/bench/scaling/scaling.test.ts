import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fitLine } from '../../../../bench/figures/statistics.ts';
import type { SessionPoint } from '../../../../bench/scaling/measurement.ts';
import { fitAll, renderScaling } from '../../../../bench/scaling/report.ts';

describe('a fitted line', () => {
  it('passes through collinear points', () => {
    const { slope, intercept, r2 } = fitLine([
      [0, 1],
      [10, 21],
      [30, 61],
    ]);
    for (const [actual, expected] of [
      [slope, 2],
      [intercept, 1],
      [r2, 1],
    ] as const) {
      assert.ok(Math.abs(actual - expected) < 1e-9);
    }
  });

  it('matches the least-squares fit and R² of a known example', () => {
    // Anscombe's first set: y = 3.00 + 0.500 x, R² 0.67.
    const y = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68];
    const x = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5];
    const { slope, intercept, r2 } = fitLine(x.map((value, index) => [value, y[index]!]));
    assert.equal(slope.toFixed(3), '0.500');
    assert.equal(intercept.toFixed(2), '3.00');
    assert.equal(r2.toFixed(2), '0.67');
  });
});

describe('the scaling report', () => {
  it('extrapolates the costs to a million sessions', () => {
    const sessions = [1000, 5000].map((count): SessionPoint => ({
      sessions: count,
      processes: 1,
      memory: 2000 * count,
      kernel: 5000 * count,
      idleCpu: 1e-6 * count,
      busyCpu: 0.1,
    }));
    const batches = [1, 2].map((messages) => ({ messages, cpu: 5 + 2 * messages }));
    const fits = fitAll(sessions, batches, 16);
    const text = renderScaling({
      date: '2026-01-01',
      machine: 'a machine',
      sessions,
      rates: [[1000, 0.05]],
      fits,
    });
    assert.match(text, /1,000,000 sessions: 2\.00 GB of processes and 5\.00 GB in the kernel, 1\.00 cores/);
    assert.match(text, /\| CPU of messages that come together \| 2\.00 µs a message \| 5 µs \| 1\.0000 \|/);
    assert.match(text, /\| 1,000 \| 5\.00% \| 50\.0 µs \|/);
    assert.match(text, /\| 5,000 \| 1 \| 10\.0 MB \| 25\.0 MB \| 0\.50% \| 10\.00% \|/);
  });
});
