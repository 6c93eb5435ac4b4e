import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EndingBacklog, shareOfScope } from '../../../../src/worker/ending/rate-share.ts';

const page = (...values: number[]): Float64Array => Float64Array.from(values);

describe('the share of a worker in a rate', () => {
  it("is its fraction of the connections counted by a scope's gauges in all pages", () => {
    const pages = [page(3, 0, 99), page(1, 4, 99)];
    const shares = pages.map((own) => shareOfScope(own, pages, [0, 1]));
    assert.deepEqual(
      shares.map((share) => share.of(1)),
      [3 / 8, 5 / 8],
    );
    pages[1]!.fill(0);
    assert.deepEqual(
      shares.map((share) => share.of(1)),
      [1, 0],
    );
  });

  it('is equal for all workers if the scope no longer has a gauge', () => {
    assert.equal(shareOfScope(page(1), [page(1), page(5)], []).of(1), 1 / 2);
  });

  it('follows the pending connections of every worker, with several pacers in one', () => {
    const pages = [page(7, 0), page(7, 0)];
    const [first, second] = pages.map((own) => new EndingBacklog(own, pages, 1));
    const [a, b, c] = [first!.share(), first!.share(), second!.share()];
    assert.equal(a.of(10), 1);
    assert.equal(b.of(30), 30 / 40);
    assert.equal(c.of(40), 40 / 80);
    assert.equal(a.of(10), 10 / 80);
    assert.deepEqual(pages, [page(7, 40), page(7, 40)]);
    assert.equal(b.of(0), 0);
    assert.equal(a.of(10), 10 / 50);
    assert.deepEqual([a.of(0), c.of(0)], [0, 0]);
    assert.deepEqual(pages, [page(7, 0), page(7, 0)]);
  });

  it('is at most the whole rate for a worker whose page is not among the others', () => {
    const own = page(0);
    assert.equal(new EndingBacklog(own, [page(0)], 0).share().of(5), 1);
  });
});
