import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  formatSizeDistribution,
  meanSize,
  parseSizeDistribution,
  sampleSizes,
  sizeBounds,
  type SizeDistribution,
} from '../../../../bench/options/size-distribution.ts';

const COUNT = 1000;

function parsed(text: string): SizeDistribution {
  const sizes = parseSizeDistribution(text);
  assert.ok(sizes !== undefined, text);
  return sizes;
}

function sampled(text: string): number[] {
  return [...sampleSizes(parsed(text), COUNT)];
}

describe('distributions of message sizes', () => {
  it('stay the same when parsed and formatted', () => {
    for (const text of ['0B', '32B', '1KiB', '32B-1KiB', 'exp:512B', '32B@80,1KiB@15,64KiB@5', '1B@0.5']) {
      assert.equal(formatSizeDistribution(parsed(text)), text);
    }
    assert.deepEqual(parsed('32'), { kind: 'fixed', size: 32 });
  });

  it('are refused if malformed', () => {
    for (const text of [
      '',
      'x',
      '-1',
      '2-1',
      '1-2-3',
      'exp:',
      'exp:0',
      'exp:x',
      '1@',
      '@1',
      '1@0',
      '1@x',
      '1@2,',
    ]) {
      assert.equal(parseSizeDistribution(text), undefined, text);
    }
  });

  it('give sizes within their bounds and close to their mean, even in small samples', () => {
    for (const text of ['700', '1-2000', 'exp:512', '32@80,1KiB@15,64KiB@5']) {
      const sizes = parsed(text);
      const { min, max } = sizeBounds(sizes);
      for (const count of [100, COUNT]) {
        const samples = [...sampleSizes(sizes, count)];
        assert.ok(samples.every((size) => size >= min && size <= max));
        const mean = samples.reduce((sum, size) => sum + size, 0) / count;
        assert.ok(Math.abs(mean / meanSize(sizes) - 1) < 0.15, `${text}: ${mean} for ${meanSize(sizes)}`);
      }
    }
  });

  it('cover a uniform range evenly, in shuffled order', () => {
    const samples = sampled('0-999');
    assert.deepEqual(
      samples.toSorted((a, b) => a - b),
      Array.from({ length: COUNT }, (_, index) => index),
    );
    // Shuffled: the mean distance of neighbours is a third of the range. In sorted order, it would be 1.
    const steps = samples.slice(1).map((size, index) => Math.abs(size - samples[index]!));
    assert.ok(steps.reduce((sum, step) => sum + step, 0) / steps.length > 200);
  });

  it('give each size of a mix as often as its weight says', () => {
    const samples = sampled('32@80,1KiB@15,64KiB@5');
    const count = (size: number): number => samples.filter((other) => other === size).length;
    assert.deepEqual([count(32), count(1024), count(65536)], [800, 150, 50]);
  });

  it('give exponentially distributed sizes', () => {
    const below = (limit: number): number =>
      sampled('exp:1000').filter((size) => size <= limit).length / COUNT;
    for (const times of [0.5, 1, 2, 3]) {
      assert.ok(Math.abs(below(1000 * times) - (1 - Math.exp(-times))) < 0.01);
    }
  });

  it('give the same sizes each time', () => {
    assert.deepEqual(sampled('1-2000'), sampled('1-2000'));
  });
});
