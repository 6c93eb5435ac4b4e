import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { acceptKey, isHandshakeKey } from '../../../../src/wire/upgrade/accept-key.ts';

describe('the answer to a handshake key', () => {
  it("is RFC 6455's for its own example", () => {
    assert.equal(acceptKey('dGhlIHNhbXBsZSBub25jZQ=='), 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
  });

  it('is the hash of the key and the GUID, for any key', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        const key = Buffer.from(bytes).toString('base64');
        const hash = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`);
        assert.equal(acceptKey(key), hash.digest('base64'));
      }),
    );
  });
});

describe('a handshake key', () => {
  it('is the base64 of any 16 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        assert.equal(isHandshakeKey(Buffer.from(bytes).toString('base64')), true);
      }),
    );
  });

  it('must have the right length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        fc.pre(bytes.length !== 16);
        assert.equal(isHandshakeKey(Buffer.from(bytes).toString('base64')), false);
      }),
    );
  });

  it('has a single spelling', () => {
    const wrong = [
      '',
      'dGhlIHNhbXBsZSBub25jZQ',
      'dGhlIHNhbXBsZSBub25jZQ=',
      'dGhlIHNhbXBsZSBub25jZR==',
      'dGhlIHNhbXBsZSBub25jZQ==\n',
      ' dGhlIHNhbXBsZSBub25jZQ==',
      'dGhlIHNhbXBsZSBub25jZQ== ',
      'dGhlIHNhbXBsZSBub25j-Q==',
      'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==',
      'dGhlIHNhbXBsZSBub25jZZZZ',
    ];
    for (const key of wrong) assert.equal(isHandshakeKey(key), false, JSON.stringify(key));
  });
});
