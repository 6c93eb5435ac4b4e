import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, it } from 'node:test';
import type { Certificate } from '../../../src/config/types/listener.ts';
import { CertificateChoice } from '../../../src/transport/certificate-choice.ts';
import { CertificateAuthority } from '../../support/certificates.ts';

const authority = new CertificateAuthority();
const [ec, rsa] = (['ec', 'rsa'] as const).map((keyType) => {
  const { cert } = authority.issue('a', ['DNS:a'], { keyType });
  return readFileSync(cert, 'utf8');
});

/** A certificate whose key is of some kind, with names that the test gives. */
function certificate(name: string, certPem: string | undefined, ...serverNames: string[]): Certificate {
  return { cert: name, key: '', certPem: certPem!, keyPem: '', serverNames, uri: null };
}

/** Values created by the last choice. */
const made: string[] = [];

/** Creates one value per set of certificates: their names. */
function choiceOf(...certificates: Certificate[]): CertificateChoice<string> {
  made.length = 0;
  return new CertificateChoice(certificates, (set) => {
    const names = set.map(({ cert }) => cert).join('+');
    made.push(names);
    return names;
  });
}

describe('the certificates of a server name', () => {
  after(() => authority.remove());

  it('are the first in the list of each key type', () => {
    const choice = choiceOf(
      certificate('a-ec', ec, 'a.example', '*.a.example'),
      certificate('a-rsa', rsa, 'a.example'),
      certificate('second-rsa', rsa, 'a.example', 'b.example'),
    );
    assert.equal(choice.of('a.example'), 'a-ec+a-rsa');
    assert.equal(choice.of('www.a.example'), 'a-ec');
    assert.equal(choice.of('b.www.a.example'), choice.of(null));
    assert.equal(choice.of('b.example'), 'second-rsa');
    assert.deepEqual(made.toSorted(), ['a-ec', 'a-ec+a-rsa', 'second-rsa']);
  });

  it('are the first in the list for other names and without a name', () => {
    const choice = choiceOf(certificate('first', ec, 'a.example'), certificate('other', rsa, 'b.example'));
    for (const name of [null, 'c.example', '192.0.2.1']) assert.equal(choice.of(name), 'first');
    const nameless = choiceOf(certificate('first', ec), certificate('other', rsa, 'b.example'));
    assert.equal(nameless.of(null), 'first');
  });

  it('include, for other names, certificates of other key types with all names of the first', () => {
    const choice = choiceOf(
      certificate('ec', ec, 'a.example', 'b.example'),
      certificate('less', rsa, 'a.example'),
      certificate('rsa', rsa, 'b.example', 'a.example', 'c.example'),
    );
    assert.equal(choice.of(null), 'ec+rsa');
    assert.equal(choice.of('a.example'), 'ec+less');
    assert.equal(choice.of('b.example'), 'ec+rsa');
    assert.equal(made.length, 3);
  });
});
