import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { worstOf } from '../../../../../bench/scaling/large/measurement.ts';
import { renderLarge } from '../../../../../bench/scaling/large/report.ts';
import { USUAL_SIZES } from '../../../../../bench/scaling/large/sizes.ts';

const HEAD = { date: '2026-01-01', machine: 'a machine', sizes: USUAL_SIZES };

describe('the report of large configurations', () => {
  it('has a column for each proxy, and omits rows without figures', () => {
    const text = renderLarge({
      ...HEAD,
      peers: [
        { name: 'sluice', version: '1', start: { readyMs: 1500, readyCpuMs: 2500, memory: 2e8 } },
        { name: 'HAProxy', version: '3', metrics: { bytes: 5e6, ms: 140, holds: worstOf([]) } },
      ],
      lines: [],
    });
    assert.match(text, /2,000 routes over 1,000 clusters of 10 endpoints, 2 workers/);
    assert.match(text, /\| ready after \| 1\.50 s \| {2}\|/);
    assert.match(text, /\| size of `\/metrics` \| {2}\| 5\.00 MB \|/);
    assert.doesNotMatch(text, /reload/);
  });

  it('has a line for each dimension, even if noise makes its slope negative', () => {
    const text = renderLarge({
      ...HEAD,
      peers: [],
      lines: [{ dimension: 'route', counts: [1000, 2000], memory: 1500, readyCpuMs: -0.002 }],
    });
    assert.match(text, /\| route \| 1\.50 kB \| -2\.00 µs \| 1,000, 2,000 \|/);
  });
});

describe('the worst of several holds', () => {
  it('has the longest time of each kind, and the sum of failures', () => {
    const one = { workers: 5, primary: 9, clients: 1, failures: 1 };
    const other = { workers: 3, primary: 12, clients: 4, failures: 2 };
    assert.deepEqual(worstOf([one, other]), { workers: 5, primary: 12, clients: 4, failures: 3 });
  });
});
