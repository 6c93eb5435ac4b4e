import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import { Worker } from 'node:worker_threads';
import { releaseHeap, shareBuiltins } from '../../../../src/sys/memory/heap.ts';

describe('releasing the heap after a start', () => {
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

describe("sharing Node's built-in functions", () => {
  it(
    'leaves no mapping of the Node binary to a thread that starts later',
    { skip: process.platform !== 'linux' },
    async (t) => {
      // V8 maps the functions once more only where the heap may grow beyond 2 GB, so not in a small container.
      t.diagnostic(`by default a thread adds ${await mapsOfAnotherThread()} mappings of the binary`);
      shareBuiltins();
      assert.equal(await mapsOfAnotherThread(), 0);
    },
  );
});

/** Returns how many mappings of the Node binary another thread adds while it lives. */
async function mapsOfAnotherThread(): Promise<number> {
  const before = binaryMaps();
  const thread = new Worker('setInterval(() => {}, 60_000)', { eval: true });
  try {
    await once(thread, 'online');
    return binaryMaps() - before;
  } finally {
    await thread.terminate();
  }
}

function binaryMaps(): number {
  const lines = readFileSync('/proc/self/maps', 'utf8').split('\n');
  return lines.filter((line) => line.endsWith(process.execPath)).length;
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')!.space_size;
}
