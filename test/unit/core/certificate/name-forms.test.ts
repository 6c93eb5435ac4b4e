import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { kindOfName, normalizeName } from '../../../../src/core/certificate/name-forms.ts';

describe('kindOfName', () => {
  for (const [text, kind] of [
    ['a.example', 'dns'],
    ['*.a.example', 'dns'],
    ['my_host', 'dns'],
    ['alice@example.com', 'email'],
    ['spiffe://example.com/ns/a/sa/b', 'uri'],
    ['urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6', 'uri'],
    ['mailto:alice@example.com', 'uri'],
    ['192.0.2.1', 'ip'],
    ['fe80::1', 'ip'],
    ['fe80::1%eth0', null],
    ['', null],
    ['a b', null],
    ['a/b', null],
    ['//a', null],
    ['alice@', null],
    ['a"b', null],
    ['é.example', null],
  ] as const) {
    it(`takes ${JSON.stringify(text)} for ${kind ?? 'none'}`, () => {
      assert.equal(kindOfName(text), kind);
    });
  }
});

describe('normalizeName', () => {
  it('ignores the case only of domains', () => {
    assert.equal(normalizeName('dns', 'A.Example'), 'a.example');
    assert.equal(normalizeName('email', 'Alice@A.Example'), 'Alice@a.example');
    assert.equal(normalizeName('uri', 'spiffe://A/B'), 'spiffe://A/B');
  });

  it('refuses text that is not a name of the kind', () => {
    assert.equal(normalizeName('dns', 'a b'), null);
    assert.equal(normalizeName('email', 'a.example'), null);
    assert.equal(normalizeName('uri', '/a'), null);
  });
});
