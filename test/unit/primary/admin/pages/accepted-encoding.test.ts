import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { encodingFor } from '../../../../../src/primary/admin/pages/accepted-encoding.ts';

describe('an admin page', () => {
  it('is compressed unless it is short', () => {
    assert.equal(encodingFor('gzip', 1023), null);
    assert.equal(encodingFor('gzip', 1024), 'gzip');
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
    it(`is compressed for "${header}"`, () => assert.equal(encodingFor(header, null), 'gzip'));
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
    it(`is not compressed for "${header}"`, () => assert.equal(encodingFor(header, null), null));
  }
});
