import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import { releaseHeap } from '../../../../src/sys/memory/heap.ts';

describe('releasing the heap of a start', () => {
  it('makes the young generation as small as it was before garbage let it grow', () => {
    let survivors: string[][] = [];
    for (let round = 0; round < 40; round++) {
      survivors = Array.from({ length: 20_000 }, (_, index) => [`${round} ${index}`]);
    }
    const grown = youngBytes();
    assert.equal(survivors.length, 20_000);
    assert.equal(releaseHeap(), true);
    assert.ok(youngBytes() < grown / 2, `${youngBytes()} bytes are left of ${grown}`);
  });
});

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')!.space_size;
}
