import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeldPages } from '../../../../../src/primary/admin/pages/held-pages.ts';

class Page {
  isGivenUp = false;
  readings: number;
  readonly #bytes: number;
  readonly #end = Promise.withResolvers<undefined>();
  readonly ended: Promise<void> = this.#end.promise.then(() => undefined);

  constructor(bytes: number, readings: number) {
    this.#bytes = bytes;
    this.readings = readings;
  }

  get heldBytes(): number {
    return this.isGivenUp ? 0 : this.#bytes;
  }

  drop(): void {
    this.isGivenUp = true;
  }

  async end(): Promise<void> {
    this.#end.resolve(undefined);
    await this.ended;
  }
}

async function held(...pages: readonly Page[]): Promise<boolean[]> {
  const all = new HeldPages(100);
  for (const page of pages) {
    all.add(page);
    await page.end();
  }
  return pages.map(({ isGivenUp }) => isGivenUp);
}

describe('the pages that slow clients hold', () => {
  it('stay while they fit', async () => {
    assert.deepEqual(await held(new Page(50, 1), new Page(50, 1)), [false, false]);
  });

  it('are dropped oldest first when they do not fit', async () => {
    const pages = [new Page(40, 1), new Page(40, 3), new Page(40, 1), new Page(40, 1)];
    assert.deepEqual(await held(...pages), [true, true, false, false]);
  });

  it('do not count if nobody reads them', async () => {
    const pages = [new Page(90, 0), new Page(60, 1), new Page(40, 1)];
    assert.deepEqual(await held(...pages), [false, false, false]);
  });

  it('never include the newest one, however large it is', async () => {
    assert.deepEqual(await held(new Page(10, 1), new Page(500, 1)), [true, false]);
  });
});
