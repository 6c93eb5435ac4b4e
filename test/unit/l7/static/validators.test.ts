import assert from 'node:assert/strict';
import type { BigIntStats } from 'node:fs';
import { describe, it } from 'node:test';
import { failedPrecondition, rangeApplies, validatorsOf } from '../../../../src/l7/static/validators.ts';

const MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const EARLIER = 'Sun, 06 Nov 1994 08:49:36 GMT';
const LATER = 'Sun, 06 Nov 1994 08:49:38 GMT';
const VERSION = { etag: '"a-b"', lastModified: Date.parse(MODIFIED) };

function judged(headers: Record<string, string>): 304 | 412 | null {
  return failedPrecondition((name) => headers[name], VERSION);
}

function stats(mtimeNs: bigint, size: bigint): BigIntStats {
  return { mtimeNs, mtimeMs: mtimeNs / 1_000_000n, size } as BigIntStats;
}

describe('validatorsOf', () => {
  it('returns another tag for another size, or a time that differs by a nanosecond', () => {
    const tags = [stats(10n ** 18n, 1n), stats(10n ** 18n, 2n), stats(10n ** 18n + 1n, 1n)].map(
      (s) => validatorsOf(s).etag,
    );
    assert.equal(new Set(tags).size, 3);
    for (const tag of tags) assert.match(tag, /^"[\da-f]+-[\da-f]+"$/);
  });

  it('returns the modification time in whole seconds, never in the future', () => {
    assert.equal(validatorsOf(stats(784_111_777_999_000_000n, 1n)).lastModified, 784_111_777_000);
    assert.ok(
      validatorsOf(stats(BigInt(Date.now() + 3_600_000) * 1_000_000n, 1n)).lastModified <= Date.now(),
    );
  });
});

describe('failedPrecondition', () => {
  it('sends the file without conditions', () => {
    assert.equal(judged({}), null);
  });

  it('answers 304 to a listed tag, strong or weak, and to a star', () => {
    for (const list of ['"a-b"', 'W/"a-b"', '"x", "a-b"', '"x,y","a-b"', '*', ' * ']) {
      assert.equal(judged({ 'if-none-match': list }), 304, list);
    }
    for (const list of ['"x"', 'a-b', '""', '', '"a-b'])
      assert.equal(judged({ 'if-none-match': list }), null, list);
  });

  it('answers 304 to a date if the file has not changed since', () => {
    assert.equal(judged({ 'if-modified-since': MODIFIED }), 304);
    assert.equal(judged({ 'if-modified-since': LATER }), 304);
    assert.equal(judged({ 'if-modified-since': EARLIER }), null);
    assert.equal(judged({ 'if-modified-since': 'yesterday' }), null);
  });

  it('prefers If-None-Match to If-Modified-Since', () => {
    assert.equal(judged({ 'if-none-match': '"x"', 'if-modified-since': LATER }), null);
    assert.equal(judged({ 'if-none-match': '"a-b"', 'if-modified-since': EARLIER }), 304);
  });

  it('answers 412 if no tag matches strongly', () => {
    for (const list of ['"x"', 'W/"a-b"', '']) assert.equal(judged({ 'if-match': list }), 412, list);
    for (const list of ['"a-b"', '"x", "a-b"', '*']) assert.equal(judged({ 'if-match': list }), null, list);
  });

  it('answers 412 if the file has changed since the date', () => {
    assert.equal(judged({ 'if-unmodified-since': EARLIER }), 412);
    assert.equal(judged({ 'if-unmodified-since': MODIFIED }), null);
    assert.equal(judged({ 'if-unmodified-since': 'yesterday' }), null);
  });

  it('prefers If-Match to If-Unmodified-Since, and checks both before If-None-Match', () => {
    assert.equal(judged({ 'if-match': '"a-b"', 'if-unmodified-since': EARLIER }), null);
    assert.equal(judged({ 'if-match': '"x"', 'if-none-match': '"a-b"' }), 412);
    assert.equal(judged({ 'if-match': '"a-b"', 'if-none-match': '"a-b"' }), 304);
  });
});

describe('rangeApplies', () => {
  it('applies without If-Range, and with the strong tag or the date of this version', () => {
    for (const ifRange of [undefined, '"a-b"', MODIFIED])
      assert.equal(rangeApplies(ifRange, VERSION), true, ifRange);
  });

  it('does not apply to another version', () => {
    for (const ifRange of ['"x"', 'W/"a-b"', EARLIER, LATER, '', '*']) {
      assert.equal(rangeApplies(ifRange, VERSION), false, ifRange);
    }
  });

  it('does not trust a date within the current second', () => {
    const lastModified = Math.floor(Date.now() / 1000) * 1000;
    assert.equal(rangeApplies(new Date(lastModified).toUTCString(), { etag: '"a-b"', lastModified }), false);
  });
});
