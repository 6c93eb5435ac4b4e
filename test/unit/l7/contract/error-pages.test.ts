import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorPage } from '../../../../src/config/types/error-page.ts';
import { ErrorPages, MAX_PAGE_BYTES_PER_SECOND } from '../../../../src/l7/contract/error-pages.ts';

function page(file: string, bytes = 10): ErrorPage {
  return { file, contentType: 'text/html', body: new Uint8Array(bytes) };
}

function pagesOf(...files: readonly string[]): Map<string, ErrorPage> {
  return new Map(files.map((file) => [file, page(file)]));
}

const NOW = (): number => 0;
const STATUSES = [404, 403, 502, 503, 301, 200];

function filesOf(pages: ErrorPages): readonly (string | null)[] {
  return STATUSES.map((status) => pages.take(status)?.file ?? null);
}

describe('error pages', () => {
  it('are chosen by status, then by class, then by default, for errors only', () => {
    const all = ErrorPages.of(pagesOf('404', '5xx', 'default', '503'), NOW);
    assert.deepEqual(filesOf(all), ['404', 'default', '5xx', '503', null, null]);
    assert.deepEqual(filesOf(ErrorPages.of(pagesOf('404'), NOW)), ['404', null, null, null, null, null]);
    assert.deepEqual(
      filesOf(ErrorPages.of(new Map(), NOW)),
      STATUSES.map(() => null),
    );
  });

  it("of routes replace the listener's of the same key", () => {
    const listener = ErrorPages.of(pagesOf('404', '5xx'), NOW);
    const own = new Map([...pagesOf('default'), ['404', page('own')] as const]);
    assert.deepEqual(filesOf(listener.withRoute(own)), ['own', 'default', '5xx', '5xx', null, null]);
    assert.deepEqual(filesOf(listener.withRoute(new Map())), ['404', null, '5xx', '5xx', null, null]);
    assert.deepEqual(
      filesOf(listener.withRoute(null)),
      STATUSES.map(() => null),
    );
    assert.deepEqual(filesOf(listener), ['404', null, '5xx', '5xx', null, null]);
  });

  it('are sent up to a number of bytes per second, over all routes of the listener', () => {
    let now = 0;
    const size = MAX_PAGE_BYTES_PER_SECOND / 128;
    const listener = ErrorPages.of(new Map([['404', page('404', size)]]), () => now);
    const route = listener.withRoute(new Map([['502', page('502', size)]]));
    for (let count = 0; count < 64; count++) {
      assert.notEqual(listener.take(404), null);
      assert.notEqual(route.take(502), null);
    }
    assert.equal(listener.take(404), null);
    assert.equal(route.take(502), null);
    now += 1000 / 128;
    assert.notEqual(route.take(404), null);
    assert.equal(listener.take(404), null);
    now += 3_600_000;
    const taken = Array.from({ length: 200 }, () => listener.take(404)).filter((each) => each !== null);
    assert.equal(taken.length, 128);
  });
});
