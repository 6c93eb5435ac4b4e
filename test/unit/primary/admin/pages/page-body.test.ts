import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  PageBody,
  PageDroppedError,
  type PageReading,
} from '../../../../../src/primary/admin/pages/page-body.ts';
import { CHUNK_LENGTH } from '../../../../../src/primary/admin/pages/chunks.ts';
import { Slices } from '../../../../../src/core/timing/slices.ts';
import { eventually } from '../../../../support/deadline.ts';

const LINE = 'a_total{b="é"} 1\n';
const LONG = LINE.repeat(20_000);

/** A page of lines, made as far as the test says. */
class HeldPage {
  made = 0;
  returned = false;
  #turn = Promise.withResolvers<undefined>();
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  /** A clock that ends each slice after one piece, and turns that come when the test says so. */
  readonly slices = new Slices(
    (callback) => void this.#turn.promise.then(callback),
    () => 1000 * this.made,
  );

  readonly text = { type: 'text/plain', pieces: this.#pieces() };

  turn(): void {
    const { resolve } = this.#turn;
    this.#turn = Promise.withResolvers<undefined>();
    resolve(undefined);
  }

  async makeAll(): Promise<void> {
    await eventually(() => {
      this.turn();
      assert.ok(this.made === this.#count);
    });
    this.turn();
  }

  *#pieces(): Generator<string> {
    try {
      while (this.made < this.#count) {
        this.made++;
        yield 'x'.repeat(CHUNK_LENGTH);
      }
    } finally {
      this.returned = true;
    }
  }
}

async function all(reading: PageReading): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of reading.chunks) parts.push(chunk);
  reading.close();
  return Buffer.concat(parts);
}

function pageOf(text: string): Promise<PageBody> {
  return PageBody.begin({ type: 'text/plain', pieces: text === '' ? [] : text.split(/(?<=\n)/) });
}

describe('the body of an admin page', () => {
  for (const text of [LINE, LONG]) {
    it(`of ${text.length} characters is the same for all readers, in gzip and in plain`, async () => {
      const page = await pageOf(text);
      const readings = [page.read('gzip'), page.read(null), page.read('gzip'), page.read(null)];
      const [one, two, three, four] = await Promise.all(readings.map(all));
      assert.equal(gunzipSync(one!).toString(), text);
      assert.deepEqual(one, three);
      assert.equal(two!.toString(), text);
      assert.deepEqual(two, four);
      await page.ended;
      assert.deepEqual([page.length(null), page.length('gzip')], [Buffer.byteLength(text), one!.length]);
    });
  }

  it('may be empty', async () => {
    const page = await pageOf('');
    assert.equal((await all(page.read(null))).length, 0);
    assert.equal(gunzipSync(await all(page.read('gzip'))).length, 0);
  });

  it('is kept in gzip only', async () => {
    const page = await pageOf(LONG);
    await page.ended;
    assert.ok(page.heldBytes < LONG.length / 10);
  });

  it('is complete at once if it is short, so that its length is known', async () => {
    assert.equal((await pageOf(LINE)).length(null), Buffer.byteLength(LINE));
  });

  it('is sent while it is being rendered', async () => {
    const held = new HeldPage(4);
    const begins = PageBody.begin(held.text, held.slices);
    await eventually(() => {
      held.turn();
      assert.ok(held.made >= 2);
    });
    const page = await begins;
    assert.equal(page.length(null), null);
    const reading = page.read(null);
    const first = await reading.chunks[Symbol.asyncIterator]().next();
    assert.ok(first.done !== true && first.value.length > 0);
    assert.ok(held.made < 4);
    const other = all(page.read(null));
    await held.makeAll();
    assert.equal((await other).length, 4 * CHUNK_LENGTH);
    reading.close();
  });

  it('stops rendering when the last reader disconnects', async () => {
    const held = new HeldPage(1000);
    const begins = PageBody.begin(held.text, held.slices);
    await eventually(() => {
      held.turn();
      assert.ok(held.made >= 2);
    });
    const page = await begins;
    const [one, two] = [page.read('gzip'), page.read(null)];
    one.close();
    one.close();
    assert.equal(page.isDropped, false);
    two.close();
    assert.ok(page.isDropped);
    assert.equal(page.heldBytes, 0);
    await page.ended;
    await eventually(() => {
      held.turn();
      assert.ok(held.returned);
    });
    assert.ok(held.made < 10);
  });

  it('ends all readings when it is dropped', async () => {
    const page = await pageOf(LONG);
    await page.ended;
    for (const encoding of ['gzip', null] as const) {
      const reading = page.read(encoding);
      page.drop();
      await assert.rejects(
        all(reading),
        (error) => error instanceof PageDroppedError && error.cause === undefined,
      );
      reading.close();
    }
    assert.equal(page.readings, 0);
  });

  it('rejects at once if the rendering fails, or for its readers if it has begun', async () => {
    const broken = new Error('broken');
    function* fails(count: number): Generator<string> {
      for (let index = 0; index < count; index++) yield 'x'.repeat(CHUNK_LENGTH);
      throw broken;
    }
    await assert.rejects(PageBody.begin({ type: 'text/plain', pieces: fails(0) }), broken);
    const page = await PageBody.begin({ type: 'text/plain', pieces: fails(3) });
    const reading = page.read(null);
    await assert.rejects(
      all(reading),
      (error) => error instanceof PageDroppedError && error.cause === broken,
    );
    reading.close();
    await page.ended;
  });
});
