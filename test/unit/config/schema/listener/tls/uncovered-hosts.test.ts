import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { l7, refusalOf, warningsOf } from '../../../load.ts';
import { GOOD_CERT, GOOD_KEY } from '../../../pem.ts';

/** The certificate is for example.com and *.example.com. */
const FILES = { 'good.pem': GOOD_CERT, 'good.key': GOOD_KEY };
const TLS = 'tls: { cert: good.pem, key: good.key }';

function withHosts(hosts: readonly string[], ...more: readonly string[]): string {
  return l7(
    TLS,
    ...more,
    'routes:',
    '  - { match: example.com, cluster: app }',
    ...hosts.map((host) => `  - { match: { host: ${host} }, cluster: app }`),
  );
}

describe('hosts without a certificate', () => {
  it('cause one warning at the first route', () => {
    assert.deepEqual(
      warningsOf(withHosts(['chat.example.com', 'a.chat.example.com', 'b.test']), { files: FILES }),
      [
        '9:26: no certificate of this listener covers a.chat.example.com, b.test, so clients refuse the connection: ' +
          'add a certificate to tls',
      ],
    );
    const many = Array.from({ length: 7 }, (_, index) => `h${index}.test`);
    assert.match(
      warningsOf(withHosts(many), { files: FILES })[0] ?? '',
      /covers h0\.test, h1\.test, h2\.test, h3\.test, h4\.test and 2 more, so/,
    );
  });

  it('cause none with a star, as addresses, and behind a proxy', () => {
    assert.deepEqual(warningsOf(withHosts(["'*.b.test'", '127.0.0.1', "'[::1]'"]), { files: FILES }), []);
    assert.deepEqual(warningsOf(withHosts(['b.test'], 'trustedProxies: 10.0.0.1'), { files: FILES }), []);
  });

  it('cause none beside a broken certificate', () => {
    assert.deepEqual(refusalOf(withHosts(['b.test']).replace('key: good.key', 'key: good.pem')).warnings, []);
  });
});
