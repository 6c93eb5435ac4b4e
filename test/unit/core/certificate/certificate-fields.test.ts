import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readCertificateFields } from '../../../../src/core/certificate/certificate-fields.ts';
import { certificateDer, der, nameDer, namesExtension, oid } from '../../../support/certificate-der.ts';

const ALICE = nameDer([[['2.5.4.3', 12, 'alice']]]);
const BASIC_CONSTRAINTS = der(0x30, oid('2.5.29.19'), der(0x01, '\xff'), der(0x04, der(0x30)));
const dns = (name: string): Buffer => der(0x82, name);

function namesOf(...extensions: readonly Buffer[]): string[] {
  const { names } = readCertificateFields(certificateDer(ALICE, ...extensions));
  return names.map(({ kind, bytes }) => `${kind}:${bytes.toString('latin1')}`);
}

describe('readCertificateFields', () => {
  it('reads the subject and the names of four kinds', () => {
    const directory = der(0xa4, ALICE);
    const other = der(0xa0, oid('1.3.6.1.4.1.311.20.2.3'), der(0xa0, der(12, 'alice@example.com')));
    const extension = namesExtension(
      dns('a.example'),
      other,
      der(0x86, 'spiffe://example/a'),
      directory,
      der(0x81, 'a@example.com'),
      der(0x87, '\x7f\0\0\x01'),
    );
    const { subject } = readCertificateFields(certificateDer(ALICE, extension));
    assert.equal(subject, 'CN=alice');
    assert.deepEqual(namesOf(BASIC_CONSTRAINTS, extension), [
      'dns:a.example',
      'uri:spiffe://example/a',
      'email:a@example.com',
      'ip:\x7f\0\0\x01',
    ]);
  });

  it('reads certificates without extensions', () => {
    assert.deepEqual(namesOf(), []);
    assert.deepEqual(namesOf(BASIC_CONSTRAINTS), []);
  });

  it('reads no names if there are two lists of them', () => {
    assert.deepEqual(namesOf(namesExtension(dns('a.example')), namesExtension(dns('b.example'))), []);
  });

  it('reads no names if one of them is malformed', () => {
    assert.deepEqual(namesOf(namesExtension(dns('a.example'), Buffer.from('\x82\x05a', 'latin1'))), []);
  });

  it('reads no names that are longer than 8 KiB together', () => {
    const name = dns('a'.repeat(1024));
    assert.equal(namesOf(namesExtension(...Array<Buffer>(8).fill(name))).length, 8);
    assert.deepEqual(namesOf(namesExtension(...Array<Buffer>(8).fill(name), dns('b'))), []);
  });

  it('reads a subject of more than 4,096 characters as empty', () => {
    const longest = nameDer([[['2.5.4.3', 12, 'a'.repeat(4093)]]]);
    assert.equal(readCertificateFields(certificateDer(longest)).subject.length, 4096);
    const longer = nameDer([[['2.5.4.3', 12, 'a'.repeat(4094)]]]);
    assert.equal(readCertificateFields(certificateDer(longer)).subject, '');
  });

  it('reads a certificate that is cut or changed at any byte without throwing', () => {
    const extension = namesExtension(dns('a.example'), der(0x86, 'spiffe://example/a'));
    const whole = certificateDer(ALICE, BASIC_CONSTRAINTS, extension);
    for (let at = 0; at < whole.length; at++) {
      readCertificateFields(whole.subarray(0, at));
      for (const value of [0x00, 0x1f, 0x30, 0x7f, 0x80, 0x84, 0xff]) {
        const changed = Buffer.from(whole);
        changed[at] = value;
        const { subject, names } = readCertificateFields(changed);
        assert.equal(typeof subject, 'string');
        assert.ok(names.length <= 2);
      }
    }
  });
});
