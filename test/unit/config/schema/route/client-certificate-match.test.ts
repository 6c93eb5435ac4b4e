import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readClientCertificateMatch } from '../../../../../src/config/schema/route/client-certificate-match.ts';
import { Composition } from '../../../../../src/config/syntax/composition.ts';
import { BaseDirectory } from '../../../../../src/config/syntax/files.ts';
import { OutsideValues } from '../../../../../src/config/syntax/outside/outside-values.ts';
import { Problems } from '../../../../../src/config/syntax/problems.ts';
import { Section } from '../../../../../src/config/syntax/section.ts';
import { SourceFile } from '../../../../../src/config/syntax/source-file.ts';
import type { ClientCertificateMatch } from '../../../../../src/config/types/route.ts';

function read(
  condition: string,
  asksForCertificates = true,
): { readonly match: ClientCertificateMatch | null; readonly errors: readonly string[] } {
  const file = new SourceFile(`clientCertificate: ${condition}`);
  const problems = new Problems(Composition.of('x', file), new OutsideValues({}, new BaseDirectory('/')));
  const section = Section.of(file.root, [], problems, { what: 'a match', keys: ['clientCertificate'] })!;
  const match = readClientCertificateMatch(section, asksForCertificates);
  return { match, errors: problems.errors.map(({ message }) => message) };
}

describe('clientCertificate', () => {
  it('reads every condition', () => {
    const { match, errors } = read(
      `{ subject: 'CN=alice,O=example', san: spiffe://example.com/alice, fingerprint: ${'Ab:'.repeat(31)}Ab }`,
    );
    assert.deepEqual(errors, []);
    assert.deepEqual(match, {
      subject: 'CN=alice,O=example',
      san: 'spiffe://example.com/alice',
      fingerprint: 'ab'.repeat(32),
    });
  });

  it('needs a listener that asks for certificates', () => {
    assert.deepEqual(read('{ san: a.example }', false).errors, [
      'clientCertificate: this listener asks for no client certificates: set tls.clientCertificates, or leave the condition out',
    ]);
  });

  it('needs a condition', () => {
    assert.deepEqual(read('{}').errors, [
      'clientCertificate needs a condition: write subject, san or fingerprint',
    ]);
    assert.match(read('{ sna: a.example }').errors.join(), /unknown key "sna"/);
  });

  for (const subject of [
    'CN=alice',
    'CN=alice smith+OU=a,O=b,C=DE',
    'CN=a\\,b\\+c\\"d\\\\e\\<f\\>g\\;h=i',
    'CN=\\  a b \\ ',
    'CN=\\#a#',
    'CN=\\C3\\A9\\0A',
    'CN=',
    'emailAddress=a@example.com',
    '1.3.6.1.4.1.99999.1=#0C0161',
  ]) {
    it(`takes the subject ${JSON.stringify(subject)}`, () => {
      assert.deepEqual(read(`{ subject: '${subject}' }`).errors, []);
    });
  }

  for (const subject of [
    'alice',
    '/CN=alice/O=example',
    'CN=alice, O=example',
    'CN = alice, O = example',
    'CN=é',
    'CN=a"b',
    'CN=a;O=b',
    'CN= a',
    'CN=a ',
    'CN=#a',
    'CN=a\\c3',
    'CN=alice,',
  ]) {
    it(`refuses the subject ${JSON.stringify(subject)}`, () => {
      assert.deepEqual(read(`{ subject: '${subject}' }`).errors, [
        `subject: ${JSON.stringify(subject)} is not a subject as RFC 2253 writes it: write what "openssl x509 -noout -subject -nameopt RFC2253 -in FILE" prints behind "subject=", such as CN=alice,O=example`,
      ]);
    });
  }

  it('explains an invalid fingerprint', () => {
    const remedy = 'write what "openssl x509 -noout -fingerprint -sha256 -in FILE" prints behind "="';
    assert.deepEqual(read(`{ fingerprint: ${'ab'.repeat(20)} }`).errors, [
      `fingerprint: "${'ab'.repeat(20)}" is a SHA-1 fingerprint: ${remedy}`,
    ]);
    assert.deepEqual(read('{ fingerprint: ab:cd }').errors, [
      `fingerprint: "ab:cd" is not a fingerprint: ${remedy}`,
    ]);
    assert.equal(read(`{ fingerprint: ${'1'.repeat(64)} }`).errors.length, 1, 'a number without quotes');
  });

  it('explains an invalid name', () => {
    assert.deepEqual(read('{ san: alice smith }').errors, [
      'san: "alice smith" is not a subject alternative name: write a DNS name, a URI such as spiffe://example.com/app, an email address or an IP address',
    ]);
  });
});
