import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatAddress,
  isLoopbackHost,
  isSameListener,
  overlap,
  parseAddress,
  parseTcpAddress,
} from '../../../src/core/address.ts';

const tcp = (host: string, port: number): object => ({ kind: 'tcp', host, port });

describe('address', () => {
  it('reads a host and a port', () => {
    assert.deepEqual(parseTcpAddress('127.0.0.1:8080'), tcp('127.0.0.1', 8080));
    assert.deepEqual(parseTcpAddress('app.internal:80'), tcp('app.internal', 80));
    assert.deepEqual(parseTcpAddress('my_app-1:0'), tcp('my_app-1', 0));
    assert.deepEqual(parseTcpAddress('localhost:65535'), tcp('localhost', 65_535));
  });

  it('reads an IPv6 address in brackets', () => {
    assert.deepEqual(parseTcpAddress('[::1]:8080'), tcp('::1', 8080));
    assert.deepEqual(parseTcpAddress('[fe80::1%eth0]:80'), tcp('fe80::1%eth0', 80));
  });

  it('reads a missing host as all interfaces', () => {
    assert.deepEqual(parseTcpAddress(':8080'), tcp('::', 8080));
    assert.deepEqual(parseTcpAddress('[::]:8080'), tcp('::', 8080));
  });

  it('is local to this machine or not', () => {
    for (const host of [
      'localhost',
      'LOCALHOST',
      '127.0.0.1',
      '127.255.0.9',
      '::1',
      '[::1]',
      '0:0:0:0:0:0:0:1',
    ]) {
      assert.equal(isLoopbackHost(host), true, host);
    }
    for (const host of [
      '0.0.0.0',
      '::',
      '10.0.0.1',
      '127.0.0.1.example',
      'localhost.example',
      '1::1',
      '::1:1',
      '::10',
    ]) {
      assert.equal(isLoopbackHost(host), false, host);
    }
  });

  it('refuses text that is not an address', () => {
    const bad = [
      '',
      '8080',
      'host',
      'host:',
      'host:65536',
      'host:-1',
      'host:8080 ',
      'ho st:80',
      '::1:80',
      '[::1]',
      '[]:80',
      '[127.0.0.1]:80',
      '[host]:80',
      '1.2.3:80',
      '256.1.1.1:80',
      '1.2.3.4.5:80',
      'http://host:80',
      'host:80/path',
      '-host:80',
      'a..b:80',
      `${'a'.repeat(64)}:80`,
      `${'a.'.repeat(127)}a:80`,
      'unix:/x',
    ];
    for (const text of bad) assert.equal(parseTcpAddress(text), undefined, text);
  });

  it('reads a UNIX socket only as an address of an endpoint', () => {
    assert.deepEqual(parseAddress('unix:/run/app.sock'), { kind: 'unix', path: '/run/app.sock' });
    assert.deepEqual(parseAddress('unix:./app.sock'), { kind: 'unix', path: './app.sock' });
    assert.equal(parseAddress('unix:'), undefined);
    assert.deepEqual(parseAddress('unix:80'), { kind: 'unix', path: '80' });
    assert.deepEqual(parseAddress('host:80'), tcp('host', 80));
  });

  it('finds addresses that two sockets cannot both have', () => {
    const clash = (a: string, b: string): boolean => {
      const found = overlap(parseTcpAddress(a)!, parseTcpAddress(b)!);
      assert.equal(overlap(parseTcpAddress(b)!, parseTcpAddress(a)!), found, `${a} ${b}`);
      return found;
    };
    for (const [a, b] of [
      ['127.0.0.1:5', '127.0.0.1:5'],
      [':5', '127.0.0.1:5'],
      [':5', '0.0.0.0:5'],
      ['0.0.0.0:5', '10.0.0.1:5'],
      ['0.0.0.0:5', 'localhost:5'],
      ['[::1]:5', '[0:0::1]:5'],
      ['[fe80::1%eth0]:5', '[fe80:0::1%eth0]:5'],
      ['localhost:5', 'LOCALHOST:5'],
    ] as const) {
      assert.ok(clash(a, b), `${a} ${b}`);
    }
    for (const [a, b] of [
      ['127.0.0.1:5', '127.0.0.2:5'],
      ['127.0.0.1:5', '127.0.0.1:6'],
      ['0.0.0.0:5', '[::1]:5'],
      ['[fe80::1%eth0]:5', '[fe80::1%eth1]:5'],
      [':0', ':0'],
    ] as const) {
      assert.ok(!clash(a, b), `${a} ${b}`);
    }
  });

  it('knows which dialled addresses reach a listening one', () => {
    const reaches = (listening: string, dialled: string): boolean =>
      isSameListener(parseTcpAddress(listening)!, parseTcpAddress(dialled)!);
    for (const [listening, dialled] of [
      ['127.0.0.1:5', '127.0.0.1:5'],
      ['10.0.0.1:5', '10.0.0.1:5'],
      ['127.0.0.1:5', 'localhost:5'],
      ['[::1]:5', 'localhost:5'],
      [':5', '127.0.0.2:5'],
      [':5', '[::1]:5'],
      ['0.0.0.0:5', 'localhost:5'],
      ['a.example:5', 'A.example:5'],
    ] as const) {
      assert.ok(reaches(listening, dialled), `${listening} ${dialled}`);
    }
    for (const [listening, dialled] of [
      [':5', '127.0.0.1:6'],
      [':5', '10.0.0.1:5'],
      [':5', 'a.example:5'],
      ['0.0.0.0:5', '[::1]:5'],
      ['127.0.0.1:5', '127.0.0.2:5'],
      ['127.0.0.2:5', 'localhost:5'],
      ['127.0.0.1:0', '127.0.0.1:0'],
    ] as const) {
      assert.ok(!reaches(listening, dialled), `${listening} ${dialled}`);
    }
  });

  it('reads back what it wrote', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.domain(), fc.constant('::'));
    const tcpAddress = fc.record({ kind: fc.constant('tcp' as const), host, port: fc.nat(65_535) });
    const unixAddress = fc.record({ kind: fc.constant('unix' as const), path: fc.string({ minLength: 1 }) });
    fc.assert(
      fc.property(fc.oneof(tcpAddress, unixAddress), (address) => {
        assert.deepEqual(parseAddress(formatAddress(address)), { ...address });
      }),
    );
  });
});
