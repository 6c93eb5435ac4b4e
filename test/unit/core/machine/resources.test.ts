import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { describe, it } from 'node:test';
import { automaticThreads, availableMemory } from '../../../../src/core/machine/resources.ts';

const GIB = 2 ** 30;
const threads = (cores: number, quota: number, memory: number): number =>
  automaticThreads({ cores, quota, memory });

describe('the number of threads that auto starts', () => {
  it('is one for each core of a machine without limits', () => {
    assert.equal(threads(64, Infinity, 256 * GIB), 64);
  });

  it('is one for each whole core of a quota, and at least one', () => {
    assert.equal(threads(64, 4, 256 * GIB), 4);
    assert.equal(threads(64, 2.9, 256 * GIB), 2);
    assert.equal(threads(64, 0.25, 256 * GIB), 1);
    assert.equal(threads(2, 8, 256 * GIB), 2);
  });

  it('is at most one for each 64 MiB of memory', () => {
    assert.equal(threads(64, Infinity, GIB / 2), 8);
    assert.equal(threads(64, Infinity, 1), 1);
  });
});

describe('the available memory', () => {
  it('is at most the memory of the machine', () => {
    assert.ok(availableMemory() > 0 && availableMemory() <= totalmem());
  });
});
