import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readRevocationDates } from '../../../../src/core/certificate/revocation-list.ts';
import { der, nameDer, oid } from '../../../support/certificate-der.ts';
import { REVOCATION_LIST } from '../../config/pem.ts';

const SIGNATURE = der(0x30, oid('1.2.840.10045.4.3.2'));
const ISSUER = nameDer([[['2.5.4.3', 12, 'authority']]]);
const UTC = 0x17;
const GENERALIZED = 0x18;

function list(...fields: readonly Buffer[]): Buffer {
  return der(0x30, der(0x30, ...fields), SIGNATURE, der(0x03, '\0'));
}

/** A list of version 2 with these times. */
function withTimes(...times: readonly Buffer[]): Buffer {
  return list(der(0x02, '\x01'), SIGNATURE, ISSUER, ...times);
}

describe('the dates of a revocation list', () => {
  it('are read in both forms', () => {
    assert.deepEqual(
      readRevocationDates(withTimes(der(UTC, '491231235959Z'), der(GENERALIZED, '20500101000000Z'))),
      { thisUpdate: Date.UTC(2049, 11, 31, 23, 59, 59), nextUpdate: Date.UTC(2050, 0, 1) },
    );
    assert.equal(
      readRevocationDates(withTimes(der(UTC, '990102030405Z')))?.thisUpdate,
      Date.UTC(1999, 0, 2, 3, 4, 5),
    );
    const pem = Buffer.from(REVOCATION_LIST.replace(/-----.*-----/g, ''), 'base64');
    assert.deepEqual(readRevocationDates(pem), {
      thisUpdate: Date.UTC(2026, 10, 29, 7, 3, 49),
      nextUpdate: Date.UTC(2126, 10, 5, 7, 3, 49),
    });
  });

  it('may have no end, and the list no version', () => {
    const revoked = der(0x30, der(0x30, der(0x02, '\x05'), der(UTC, '260101000000Z')));
    assert.deepEqual(readRevocationDates(list(SIGNATURE, ISSUER, der(UTC, '260101000000Z'), revoked)), {
      thisUpdate: Date.UTC(2026, 0, 1),
      nextUpdate: null,
    });
  });

  it('are null if the list is malformed', () => {
    for (const malformed of [
      Buffer.alloc(0),
      list(),
      list(SIGNATURE, ISSUER),
      withTimes(der(UTC, '2601010000Z')),
      withTimes(der(UTC, '2601010000000000000000000Z')),
      withTimes(der(GENERALIZED, '20260101000000+0100')),
    ]) {
      assert.equal(readRevocationDates(malformed), null);
    }
  });

  it('are read from any bytes without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        readRevocationDates(Buffer.from(bytes));
        readRevocationDates(list(Buffer.from(bytes)));
      }),
      { numRuns: 500 },
    );
  });
});
