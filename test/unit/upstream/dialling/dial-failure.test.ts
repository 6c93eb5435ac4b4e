import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectFailureOf, decisiveError, dialErrorOf } from '../../../../src/upstream/dialling/dial.ts';

describe('the reason of a failed dial', () => {
  const cases: readonly (readonly [reason: string, codes: readonly string[]])[] = [
    ['refused', ['ECONNREFUSED', 'ENOENT']],
    ['timeout', ['ETIMEDOUT']],
    ['reset', ['ECONNRESET', 'EPIPE']],
    ['unreachable', ['EHOSTUNREACH', 'ENETUNREACH', 'EHOSTDOWN', 'ENETDOWN', 'ENOTFOUND', 'EAI_AGAIN']],
    [
      'tls',
      [
        'ERR_TLS_CERT_ALTNAME_INVALID',
        'ERR_SSL_WRONG_VERSION_NUMBER',
        'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
        'EPROTO',
        'CERT_HAS_EXPIRED',
        'CRL_HAS_EXPIRED',
        'DEPTH_ZERO_SELF_SIGNED_CERT',
        'SELF_SIGNED_CERT_IN_CHAIN',
        'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
        'ERROR_IN_CERT_NOT_AFTER_FIELD',
        'INVALID_CA',
        'INVALID_PURPOSE',
        'PATH_LENGTH_EXCEEDED',
        'HOSTNAME_MISMATCH',
      ],
    ],
    ['own_shortage', ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM']],
    ['own_ports', ['EADDRNOTAVAIL']],
    ['other', ['EACCES', 'EPROTONOSUPPORT', 'ERR_SOCKET_CLOSED', '']],
  ];
  for (const [reason, codes] of cases) {
    it(`is ${reason} for ${codes.join(', ')}`, () => {
      for (const code of codes) {
        assert.equal(connectFailureOf(Object.assign(new Error('x'), { code })), reason, code);
      }
    });
  }

  it("is the proxy's shortage if it prevented the dial of one of two addresses", () => {
    const [shortage, refusal] = ['EMFILE', 'ECONNREFUSED'].map((code) =>
      Object.assign(new Error('x'), { code }),
    );
    assert.equal(decisiveError(shortage!, refusal!), shortage);
    assert.equal(decisiveError(refusal!, shortage!), shortage);
    assert.equal(decisiveError(null, refusal!), refusal);
  });

  it('is the last error if Node tried several addresses', () => {
    const errors = ['ETIMEDOUT', 'ECONNREFUSED'].map((code) => Object.assign(new Error('x'), { code }));
    const all = Object.assign(new AggregateError(errors), { code: 'ETIMEDOUT' });
    assert.equal(connectFailureOf(all), 'refused');
    assert.equal(dialErrorOf(all), errors[1]);
    assert.equal(dialErrorOf(errors[0]!), errors[0]);
    const nameless = new AggregateError([]);
    assert.equal(dialErrorOf(nameless), nameless);
  });

  it('is other for an error without a code', () => {
    assert.equal(connectFailureOf(new Error('x')), 'other');
  });
});
