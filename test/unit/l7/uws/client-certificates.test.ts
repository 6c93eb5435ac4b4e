import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpResponse } from 'uWebSockets.js';
import { certificateOf, refuseWithoutCertificate } from '../../../../src/l7/uws/client-certificates.ts';
import { readClientCertificate } from '../../../../src/wire/tls/client-certificate.ts';
import { certificateDer, nameDer } from '../../../support/certificate-der.ts';

function responseWith(pem: string): HttpResponse {
  return { getX509Certificate: () => pem } as unknown as HttpResponse;
}

describe('the certificate of a connection of uWebSockets.js', () => {
  it('is parsed from PEM', () => {
    const der = certificateDer(nameDer([[['2.5.4.3', 12, 'alice'.repeat(20)]]]));
    const lines = der.toString('base64').replace(/.{1,64}/g, '$&\n');
    const pem = `-----BEGIN CERTIFICATE-----\n${lines}-----END CERTIFICATE-----\n`;
    assert.deepEqual(certificateOf(responseWith(pem)), readClientCertificate(der));
    assert.equal(certificateOf(responseWith(pem))?.subject, `CN=${'alice'.repeat(20)}`);
  });

  it('is null without one', () => {
    assert.equal(certificateOf(responseWith('')), null);
  });

  it('causes a 403 and the end of the connection if it is missing', () => {
    const calls: unknown[] = [];
    const note =
      (name: string) =>
      (...args: readonly unknown[]): number =>
        calls.push([name, ...args]);
    refuseWithoutCertificate({
      cork: (write: () => void) => write(),
      writeStatus: note('status'),
      writeHeader: note('header'),
      end: note('end'),
    } as unknown as HttpResponse);
    assert.deepEqual(calls, [
      ['status', '403 Forbidden'],
      ['header', 'Content-Type', 'text/plain; charset=utf-8'],
      ['end', 'a client certificate is required\n', true],
    ]);
  });
});
