import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ownShortageOf } from '../../../src/core/shortage.ts';

const withCode = (code: string): Error => Object.assign(new Error('x'), { code });

describe('a shortage of sluice', () => {
  for (const [shortage, codes] of [
    ['own_shortage', ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'ENOSPC']],
    ['own_ports', ['EADDRNOTAVAIL']],
    [null, ['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EHOSTUNREACH', 'EAGAIN', 'EACCES', '']],
  ] as const) {
    it(`is ${shortage ?? 'none'} for ${codes.join(', ')}`, () => {
      for (const code of codes) assert.equal(ownShortageOf(withCode(code)), shortage, code);
    });
  }

  it('is found among the errors of several addresses, the more severe one first', () => {
    const found = (...codes: string[]): unknown =>
      ownShortageOf(Object.assign(new AggregateError(codes.map(withCode)), { code: codes[0] }));
    assert.equal(found('ECONNREFUSED', 'EMFILE'), 'own_shortage');
    assert.equal(found('ECONNREFUSED', 'EADDRNOTAVAIL', 'EMFILE'), 'own_shortage');
    assert.equal(found('ECONNREFUSED', 'EADDRNOTAVAIL'), 'own_ports');
    assert.equal(found('ECONNREFUSED', 'ETIMEDOUT'), null);
  });

  it('is not found in values that are not errors', () => {
    for (const thrown of [null, undefined, 'EMFILE', { code: 'EMFILE' }, new Error('x')]) {
      assert.equal(ownShortageOf(thrown), null);
    }
  });
});
