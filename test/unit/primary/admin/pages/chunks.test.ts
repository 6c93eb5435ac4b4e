import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slices } from '../../../../../src/core/timing/slices.ts';
import { CHUNK_LENGTH, chunksOf } from '../../../../../src/primary/admin/pages/chunks.ts';

/** Pieces that advance a fake clock, and count the turns of the event loop. */
class Rig {
  time = 0;
  made = 0;
  /** Number of pieces at each turn. */
  readonly turns: number[] = [];

  readonly slices = new Slices(
    (callback) => {
      this.turns.push(this.made);
      this.time += 50;
      callback();
    },
    () => this.time,
  );

  *pieces(count: number, costMs: number, piece = 'x'): Generator<string> {
    for (; this.made < count; this.made++) {
      this.time += costMs;
      yield piece;
    }
  }
}

async function all(chunks: AsyncIterable<string>): Promise<string[]> {
  const list: string[] = [];
  for await (const chunk of chunks) list.push(chunk);
  return list;
}

describe('a text in chunks', () => {
  it('yields to the event loop first, and after 2 ms of work', async () => {
    const rig = new Rig();
    assert.deepEqual(await all(chunksOf(rig.pieces(10, 0.5), rig.slices)), ['xxxxxxxxxx']);
    assert.deepEqual(rig.turns, [0, 3, 7]);
  });

  it('yields after each piece that takes longer', async () => {
    const rig = new Rig();
    await all(chunksOf(rig.pieces(3, 20), rig.slices));
    assert.deepEqual(rig.turns, [0, 0, 1, 2]);
  });

  it("counts the consumer's time", async () => {
    const rig = new Rig();
    const piece = 'x'.repeat(CHUNK_LENGTH);
    for await (const chunk of chunksOf(rig.pieces(4, 0, piece), rig.slices)) {
      assert.equal(chunk, piece);
      rig.time += 1;
    }
    assert.deepEqual(rig.turns, [0, 1, 3]);
  });

  it('has chunks of 64 Ki characters, except the last', async () => {
    const rig = new Rig();
    const chunks = await all(chunksOf(rig.pieces(100_000, 0, 'abc'), rig.slices));
    assert.equal(chunks.join(''), 'abc'.repeat(100_000));
    assert.ok(chunks.slice(0, -1).every(({ length }) => length >= CHUNK_LENGTH && length < CHUNK_LENGTH + 3));
    assert.deepEqual(await all(chunksOf([], rig.slices)), []);
  });
});
