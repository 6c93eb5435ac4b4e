import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderConfig } from '../../../../../src/config/render.ts';
import type { AccessSettings } from '../../../../../src/config/types/access.ts';
import { JWKS } from '../../jwks.ts';
import { errorsOf, l7, l7Of, load, warningsOf } from '../../load.ts';
import { CA_CERT, GOOD_CERT, GOOD_KEY } from '../../pem.ts';

const FILES = {
  'users.htpasswd': 'alice:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n',
  'jwks.json': JWKS,
  'good.pem': GOOD_CERT,
  'good.key': GOOD_KEY,
  'ca.pem': CA_CERT,
};
const text = (access: string): string => l7('address: 127.0.0.1:1', `access: { ${access} }`);
const read = (access: string): AccessSettings | null => l7Of(load(text(access), { files: FILES })).access;

describe('a method of access that is one value', () => {
  it('is its most important key', () => {
    for (const [short, long] of [
      ['forwardAuth: "http://auth:9000/check?a=b"', 'forwardAuth: { url: "http://auth:9000/check?a=b" }'],
      ['jwt: jwks.json', 'jwt: { keys: jwks.json }'],
      ['jwt: https://id.example/jwks', 'jwt: { keys: https://id.example/jwks }'],
      ['basic: users.htpasswd', 'basic: { file: users.htpasswd }'],
    ] as const) {
      assert.deepEqual(read(short), read(long), short);
    }
  });

  it('has errors at its own place and key', () => {
    const errors = (access: string): string[] => errorsOf(text(access), { files: FILES });
    assert.match(
      errors('forwardAuth: "auth:9000"')[0] ?? '',
      /^6:28: forwardAuth: "auth:9000" is not the URL of an authentication server/,
    );
    assert.match(errors('jwt: http://id.example/jwks')[0] ?? '', /^6:20: jwt: .* fetch keys unencrypted/);
    assert.match(errors('jwt: nowhere.json')[0] ?? '', /^6:20: jwt: "nowhere.json" cannot be read/);
    assert.match(errors('basic: nobody')[0] ?? '', /^6:22: basic: "nobody" cannot be read/);
    assert.match(errors('basic: [a]')[0] ?? '', /^6:15: basic: a list is not a mapping/);
  });

  it('leaves tokens unbound, which is a warning', () => {
    assert.match(
      warningsOf(text('jwt: jwks.json'), { files: FILES }).join('\n'),
      /^6:20: without issuer and audience every token signed by these keys is accepted/m,
    );
  });

  it('is off as before', () => {
    assert.equal(read('jwt: off, forwardAuth: off, basic: false'), null);
  });

  it('never shows a secret from the environment', () => {
    const env = { KEY: 's3cr3t-value' };
    const access = 'jwt: "https://id.example/jwks?key=${KEY}", forwardAuth: "http://auth/check?key=${KEY}"';
    const printed = renderConfig(load(text(access), { env }));
    assert.match(printed, /keys: https:\/\/id\.example\/jwks\?key=\$\{KEY\}/);
    assert.match(printed, /url: http:\/\/auth\/check\?key=\$\{KEY\}/);
    assert.doesNotMatch(printed, /s3cr3t/);
    const refused = errorsOf(text('jwt: "http://id.example/?key=${KEY}", forwardAuth: "auth?${KEY}"'), {
      env,
    });
    assert.equal(refused.length, 2);
    assert.doesNotMatch(refused.join('\n'), /s3cr3t/);
  });
});

describe('client certificates that are one value', () => {
  it('are the file of the authorities', () => {
    const settings = (value: string): unknown =>
      l7Of(load(l7(`tls: { cert: good.pem, key: good.key, clientCertificates: ${value} }`), { files: FILES }))
        .tls?.clientCertificates;
    assert.deepEqual(settings('ca.pem'), settings('{ ca: ca.pem }'));
    assert.notEqual(settings('ca.pem'), null);
  });
});
