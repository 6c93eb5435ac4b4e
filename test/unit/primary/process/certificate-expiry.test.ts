import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { L7Listener } from '../../../../src/config/types/listener.ts';
import { readExpiries } from '../../../../src/primary/process/certificate-expiry.ts';
import { until2054, until2126 } from '../fixtures/certificates.ts';
import { l4Listener, l7Listener, listenerTls } from '../fixtures/config.ts';

const in2126 = Date.UTC(2126, 9, 28, 22, 29, 9) / 1000;
const in2054 = Date.UTC(2054, 3, 8, 22, 29, 9) / 1000;

describe('the expiry of certificates', () => {
  const texts = { '/tls/2126.pem': until2126, '/tls/2054.pem': until2054 };
  type File = keyof typeof texts;

  function listener(name: string, ...certificates: readonly (readonly [File, ...string[]])[]): L7Listener {
    const all = certificates.map(([cert, ...serverNames]) => ({
      cert,
      key: '/nowhere',
      certPem: texts[cert],
      keyPem: '',
      serverNames,
      uri: null,
    }));
    return { ...l7Listener, name, tls: listenerTls(all) };
  }

  it("has the listener and the first server name, or the file's name", () => {
    const listeners = [
      l7Listener,
      l4Listener,
      listener('one', ['/tls/2126.pem', 'a.example.com', 'b.example.com'], ['/tls/2054.pem']),
      listener('two', ['/tls/2054.pem', 'a.example.com']),
    ];
    assert.deepEqual(readExpiries(listeners), [
      { listener: 'one', certificate: 'a.example.com', notAfter: in2126 },
      { listener: 'one', certificate: '2054.pem', notAfter: in2054 },
      { listener: 'two', certificate: 'a.example.com', notAfter: in2054 },
    ]);
  });

  it('is the earlier one for equal names', () => {
    const orders: (readonly File[])[] = [
      ['/tls/2126.pem', '/tls/2054.pem'],
      ['/tls/2054.pem', '/tls/2126.pem'],
    ];
    for (const files of orders) {
      const both = files.map((file) => [file, 'a.example.com'] as const);
      assert.deepEqual(readExpiries([listener('one', ...both)]), [
        { listener: 'one', certificate: 'a.example.com', notAfter: in2054 },
      ]);
    }
  });
});
