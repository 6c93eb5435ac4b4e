import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, l7, l7Of, load } from '../../../load.ts';
import { GOOD_CERT, GOOD_KEY } from '../../../pem.ts';

const FILES = { 'good.pem': GOOD_CERT, 'good.key': GOOD_KEY };
const DEFAULTS_1_3 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
const DEFAULTS_1_2 =
  'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:' +
  'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305';

function text(engine: string, ...lines: readonly string[]): string {
  return l7(
    `engine: ${engine}`,
    'tls:',
    '  certificates: [{ cert: good.pem, key: good.key }]',
    ...lines.map((line) => `  ${line}`),
  );
}

function ciphers(...lines: readonly string[]): string | undefined {
  return l7Of(load(text('raw', ...lines), { files: FILES })).tls?.ciphers;
}

function errors(engine: string, ...lines: readonly string[]): string[] {
  return errorsOf(text(engine, ...lines), { files: FILES });
}

describe('the ciphers of a listener', () => {
  it('have authenticated encryption and forward secrecy by default', () => {
    assert.equal(ciphers(), `${DEFAULTS_1_3}:${DEFAULTS_1_2}`);
    assert.equal(ciphers('minVersion: "1.3"'), DEFAULTS_1_3);
  });

  it('are a list or a text with colons, case-insensitive', () => {
    const wanted = 'TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA';
    assert.equal(ciphers('ciphers: ECDHE-RSA-AES256-GCM-SHA384:tls_aes_256_gcm_sha384:aes128-sha'), wanted);
    assert.equal(
      ciphers('ciphers: [ECDHE-RSA-AES256-GCM-SHA384, AES128-SHA, TLS_AES_256_GCM_SHA384, AES128-SHA]'),
      wanted,
    );
  });

  it('have defaults for each TLS version that the list omits', () => {
    assert.equal(ciphers('ciphers: AES128-SHA'), `${DEFAULTS_1_3}:AES128-SHA`);
    assert.equal(ciphers('ciphers: [TLS_AES_128_GCM_SHA256]'), `TLS_AES_128_GCM_SHA256:${DEFAULTS_1_2}`);
  });

  it('must be names that OpenSSL knows', () => {
    assert.deepEqual(errors('raw', 'ciphers: [ECDHE-RSA-AES128-GCM-SHA265, "HIGH:!aNULL", 7]'), [
      '8:17: ciphers: "ECDHE-RSA-AES128-GCM-SHA265" is not a cipher that this Node\'s OpenSSL has: did you mean ECDHE-RSA-AES128-GCM-SHA256?',
      '8:46: ciphers: "HIGH:!aNULL" is not a cipher that this Node\'s OpenSSL has: write the names of ciphers, not expressions',
      "8:61: ciphers: 7 is not a cipher that this Node's OpenSSL has: `openssl ciphers` lists names",
    ]);
    assert.deepEqual(errors('raw', 'ciphers: ""'), [
      '8:7: ciphers: "" is not a cipher that this Node\'s OpenSSL has: `openssl ciphers` lists names',
    ]);
    assert.deepEqual(errors('raw', 'ciphers: []'), [
      '8:7: ciphers: the list is empty: write at least one of ciphers',
    ]);
    assert.deepEqual(errors('raw', `ciphers: "${'a:'.repeat(100)}a"`), [
      '8:16: ciphers: 101 names are too many: write at most 100',
    ]);
  });

  it('must work with only a certificate', () => {
    for (const name of ['PSK-AES128-GCM-SHA256', 'DHE-RSA-AES128-GCM-SHA256', 'SRP-AES-128-CBC-SHA']) {
      assert.deepEqual(errors('raw', `ciphers: ${name}`), [
        `8:16: ciphers: "${name}" needs what a listener does not have (a shared secret or Diffie-Hellman parameters): ` +
          'write ciphers with ECDHE',
      ]);
    }
  });

  it('must be of a version that minVersion allows', () => {
    assert.deepEqual(errors('raw', 'minVersion: "1.3"', 'ciphers: AES128-SHA:TLS_AES_128_GCM_SHA256'), [
      '9:16: ciphers: "AES128-SHA" is for TLS 1.2, which minVersion turns off: leave it out',
    ]);
  });

  it('are limited to the supported TLS 1.2 ciphers with the engine uws', () => {
    assert.deepEqual(errors('uws', 'ciphers: [AES128-SHA, ECDHE-RSA-AES128-GCM-SHA256]'), []);
    const why =
      'is for the engines raw and net: the engine uws, which the listener has because of "engine: uws",';
    assert.deepEqual(errors('uws', 'ciphers: TLS_AES_128_GCM_SHA256:AES128-SHA256'), [
      `8:16: ciphers: "TLS_AES_128_GCM_SHA256" ${why} cannot choose between the ciphers of TLS 1.3`,
      `8:16: ciphers: "AES128-SHA256" ${why} does not have it`,
    ]);
  });
});
