import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { acceptedCodings } from '../../../../src/l7/static/content-coding.ts';

const accepted = (header: string | undefined): string[] => acceptedCodings(header).map(({ name }) => name);

describe('the codings that a client accepts', () => {
  it('are none without Accept-Encoding, or with an empty or unknown one', () => {
    for (const header of [undefined, '', 'identity', 'deflate, zstd']) assert.deepEqual(accepted(header), []);
  });

  it('are ordered by weight, then by the smaller file', () => {
    assert.deepEqual(accepted('gzip, br'), ['br', 'gzip']);
    assert.deepEqual(accepted('br;q=0.5, gzip;q=0.8'), ['gzip', 'br']);
    assert.deepEqual(accepted('GZIP ; Q=1.000 , br;q=0.999'), ['gzip', 'br']);
    assert.deepEqual(accepted('x-gzip'), ['gzip']);
  });

  it('include all codings for a star', () => {
    assert.deepEqual(accepted('*'), ['br', 'gzip']);
    assert.deepEqual(accepted('br;q=0, *'), ['gzip']);
    assert.deepEqual(accepted('gzip, *;q=0'), ['gzip']);
  });

  it('exclude a weight of 0 and a malformed weight', () => {
    for (const weight of ['0', '0.000', '2', '1.5', '0.1234', '-1', '.5', 'x', '']) {
      assert.deepEqual(accepted(`gzip;q=${weight}, br`), ['br'], weight);
    }
  });
});
