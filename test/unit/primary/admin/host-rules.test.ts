import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseTarget, refuseForeign } from '../../../../src/primary/admin/host-rules.ts';

const NAMES = ['admin.example.com', 'sluice'];

interface Request {
  readonly url?: string;
  readonly hosts?: readonly string[];
  readonly origins?: readonly string[];
  readonly httpVersion?: string;
}

function statusOf({
  url = '/status',
  hosts = ['localhost'],
  origins = [],
  httpVersion = '1.1',
}: Request): number {
  return refuseForeign({ httpVersion, target: parseTarget(url), hosts, origins }, NAMES)?.status ?? 200;
}

describe('the Host of an admin request', () => {
  for (const host of [
    '127.0.0.1',
    '127.0.0.1:9480',
    '10.1.2.3:80',
    '[::1]',
    '[::1]:9480',
    '[2001:DB8::1]:9480',
    '[fe80::1%25eth0]:9480',
    'localhost',
    'LOCALHOST:9480',
    'localhost.',
    'admin.example.com',
    'Admin.Example.COM:8443',
    'admin.example.com.:9480',
    'sluice',
  ]) {
    it(`may be ${host}`, () => assert.equal(statusOf({ hosts: [host] }), 200));
  }

  for (const host of [
    '',
    'attacker.example',
    'attacker.example:9480',
    'localhost.attacker.example',
    'notlocalhost',
    'x.admin.example.com',
    'example.com',
    '127.0.0.1.attacker.example',
    '127.1',
    '2130706433',
    '0x7f.0.0.1',
    '127.0.0.1:9480:9480',
    '127.0.0.1@attacker.example',
    'user@localhost',
    'localhost attacker.example',
    '::1',
    '[127.0.0.1]',
    '[attacker.example]',
    '[::1]attacker.example',
    'localhost:abc',
    'localhost/x',
    '*',
  ]) {
    it(`may not be "${host}" except for health and metrics`, () => {
      assert.equal(statusOf({ hosts: [host] }), 421);
      assert.equal(statusOf({ hosts: [host], url: '/clusters/app/drain' }), 421);
      assert.equal(statusOf({ hosts: [host], url: '/metrics/../status' }), 421);
      for (const url of ['/livez', '/readyz', '/metrics', '/metrics?x=1']) {
        assert.equal(statusOf({ hosts: [host], url }), 200, url);
      }
    });
  }

  it('must be there once, except in HTTP/1.0', () => {
    for (const url of ['/status', '/livez']) {
      assert.equal(statusOf({ hosts: [], url }), 400);
      assert.equal(statusOf({ hosts: [], url, httpVersion: '1.0' }), 200);
      assert.equal(statusOf({ hosts: ['localhost', 'localhost'], url }), 400);
      assert.equal(statusOf({ hosts: ['localhost', 'localhost'], url, httpVersion: '1.0' }), 400);
    }
    assert.equal(statusOf({ hosts: ['attacker.example'], httpVersion: '1.0' }), 421);
  });

  it('is overridden by a target in absolute form', () => {
    assert.equal(statusOf({ url: 'http://localhost:9480/status', hosts: ['attacker.example'] }), 200);
    assert.equal(statusOf({ url: 'http://attacker.example/status', hosts: ['localhost'] }), 421);
    assert.equal(statusOf({ url: 'http://attacker.example', hosts: ['localhost'] }), 421);
    assert.equal(statusOf({ url: 'HTTP://attacker.example/livez', hosts: ['localhost'] }), 200);
    assert.equal(statusOf({ url: 'http://localhost@attacker.example/status' }), 421);
  });

  it('is refused with a remedy', () => {
    const target = parseTarget('/status');
    const refusal = refuseForeign({ httpVersion: '1.1', target, hosts: ['a.example'], origins: [] }, NAMES);
    assert.equal(refusal?.reason, 'host');
    assert.match(refusal.message, /add the name to admin\.hosts/);
  });
});

describe('the Origin of an admin request', () => {
  for (const [host, origin] of [
    ['localhost:9480', 'http://localhost:9480'],
    ['LOCALHOST:9480', 'http://localhost:9480'],
    ['127.0.0.1', 'http://127.0.0.1'],
    ['127.0.0.1:80', 'http://127.0.0.1'],
    ['[::1]:9480', 'http://[::1]:9480'],
    ['admin.example.com', 'https://admin.example.com'],
    ['admin.example.com', 'https://admin.example.com:443'],
  ] as const) {
    it(`may be ${origin} for ${host}`, () => {
      assert.equal(statusOf({ hosts: [host], origins: [origin] }), 200);
    });
  }

  for (const [host, origin] of [
    ['localhost:9480', 'http://localhost:8080'],
    ['localhost:9480', 'http://localhost'],
    ['localhost:9480', 'https://attacker.example'],
    ['localhost', 'null'],
    ['localhost', ''],
    ['localhost', 'localhost'],
    ['localhost', 'ftp://localhost'],
    ['localhost', 'http://localhost/'],
    ['localhost', 'http://user@localhost'],
    ['127.0.0.1', 'http://localhost'],
    ['admin.example.com', 'http://admin.example.com:443'],
  ] as const) {
    it(`may not be "${origin}" for ${host}, on any page`, () => {
      for (const url of ['/status', '/livez', '/metrics', '/reload']) {
        assert.equal(statusOf({ url, hosts: [host], origins: [origin] }), 403, url);
      }
    });
  }

  it('must be there at most once, and never without a host', () => {
    const origins = ['http://localhost', 'http://localhost'];
    assert.equal(statusOf({ origins }), 403);
    assert.equal(statusOf({ origins: ['http://localhost'], hosts: [], httpVersion: '1.0' }), 403);
    // A page of the attacker's whose name resolves here asks its own origin.
    const hosts = ['attacker.example:9480'];
    assert.equal(statusOf({ hosts, origins: ['http://attacker.example:9480'] }), 421);
  });
});

describe('the target of an admin request', () => {
  for (const [url, path, query] of [
    ['/', '/', ''],
    ['/status', '/status', ''],
    ['/drain?rate=1&x=?', '/drain', 'rate=1&x=?'],
    ['http://a/drain?rate=1', '/drain', 'rate=1'],
    ['http://a', '/', ''],
    ['http://a?x', '/', 'x'],
    ['*', '*', ''],
  ] as const) {
    it(`has path and query of ${url}`, () => {
      const target = parseTarget(url);
      assert.deepEqual([target.path, target.query], [path, query]);
    });
  }
});
