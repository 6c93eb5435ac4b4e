import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { formatBytes, formatCount, formatTime } from '../../../../bench/figures/readable-numbers.ts';
import { layOut, layOutWithin } from '../../../../bench/figures/tables.ts';
import { renderCsv } from '../../../../bench/report/csv.ts';
import { ratesOf } from '../../../../bench/result/rates.ts';

describe('reports', () => {
  it('format times with three significant digits in a suitable unit', () => {
    const times: readonly (readonly [number, string])[] = [
      [0, '0'],
      [0.0001, '0.10 µs'],
      [0.0832, '83.2 µs'],
      [0.9994, '999 µs'],
      [0.9996, '1.00 ms'],
      [9.996, '10.0 ms'],
      [99.96, '100 ms'],
      [999.6, '1.00 s'],
      [12_340, '12.3 s'],
      [123_400, '123 s'],
    ];
    for (const [ms, text] of times) assert.equal(formatTime(ms), text);
  });

  it('format counts with thousands separators, and bytes in a suitable unit', () => {
    assert.deepEqual([0, 7, 7.25, 999, 1000, 1_234_567.8].map(formatCount), [
      '0',
      '7',
      '7.3',
      '999',
      '1,000',
      '1,234,568',
    ]);
    assert.deepEqual([0, 999, 1280, 1_280_000, 2.5e9].map(formatBytes), [
      '0 B',
      '999 B',
      '1.28 kB',
      '1.28 MB',
      '2.50 GB',
    ]);
  });

  it('align names in tables to the left, and figures to the right', () => {
    assert.deepEqual(layOut(['', 'a', 'bb'], [['name', '100', '1'], ['x']]), [
      '        a  bb',
      'name  100   1',
      'x',
    ]);
  });

  it('leave out the least important columns if the lines have no room', () => {
    const titles = ['', 'a', 'b', 'c'];
    const rows = [['name', '100', '20', '3000']];
    const within = (width: number): string[] =>
      layOutWithin(titles, rows, { width, dispensable: ['b', 'a'] });
    assert.deepEqual(within(19), layOut(titles, rows));
    assert.deepEqual(within(18), ['        a     c', 'name  100  3000']);
    assert.deepEqual(within(14), ['         c', 'name  3000']);
    assert.deepEqual(within(1), within(14));
  });

  it('add up all threads for each second before computing statistics of rates', () => {
    const rates = ratesOf([Float64Array.of(10, 0, 20, 5), Float64Array.of(0, 10, 0, 0)], 3500);
    assert.equal(rates.mean, 45 / 3.5);
    assert.equal(rates.least, 10);
    assert.deepEqual(rates.percentiles, { p1: 10, 'p2.5': 10, p50: 10, 'p97.5': 20 });
    assert.ok(Math.abs(rates.deviation - Math.sqrt(200 / 9)) < 1e-9);
  });

  it('give a rate for runs shorter than a second, and 0 for empty runs', () => {
    assert.equal(ratesOf([Float64Array.of(50)], 500).percentiles.p50, 100);
    assert.equal(ratesOf([], 0).mean, 0);
    assert.equal(ratesOf([Float64Array.of(0)], 0).least, 0);
  });

  it('quote CSV fields that need quotes', () => {
    const csv = renderCsv({ a: 1, b: { c: 'x,"y"', d: null }, e: [1, { f: 2 }], g: true });
    assert.equal(csv, 'a,b.c,b.d,e,g\r\n1,"x,""y""",,"1 {""f"":2}",true\r\n');
  });
});
