import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { PageBody, acceptsGzip } from '../../../../../src/primary/admin/pages/page-body.ts';

describe('the body of an admin page', () => {
  it('is compressed once for all who accept that', async () => {
    const text = 'a_total{b="é"} 1\n'.repeat(1000);
    const page = new PageBody('text/plain', text);
    const [one, two] = await Promise.all([page.encode('gzip'), page.encode('br, gzip;q=0.5')]);
    assert.equal(one.encoding, 'gzip');
    assert.equal(one.bytes, two.bytes);
    assert.equal(gunzipSync(one.bytes).toString(), text);
    assert.ok(one.bytes.length < text.length / 10);
    assert.deepEqual(await page.encode('br'), { bytes: Buffer.from(text), encoding: null });
  });

  it('stays as it is if it is short', async () => {
    const { encoding } = await new PageBody('text/plain', 'a 1\n').encode('gzip');
    assert.equal(encoding, null);
  });

  for (const header of [
    'gzip',
    'GZIP',
    'x-gzip',
    'gzip, deflate, br',
    'br;q=1.0, gzip;q=0.001',
    'gzip; q=0.5',
    '*',
    'identity;q=0.5, gzip;q=0.5',
    'gzip;q=1;x=y',
  ]) {
    it(`is compressed for "${header}"`, () => assert.ok(acceptsGzip(header)));
  }

  for (const header of [
    '',
    'br',
    'identity',
    'gzip;q=0',
    'gzip;q=0.000, *',
    '*;q=0',
    'gzip;q=nonsense',
    'gzip;q=2',
    'gzip;q=-1',
    'gzip;q=0.2, identity',
    'notgzip',
  ]) {
    it(`is not compressed for "${header}"`, () => assert.ok(!acceptsGzip(header)));
  }
});
