import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Malformed } from '../../../../src/wire/malformed.ts';
import {
  ClientHelloReader,
  MAX_HELLO_BYTES,
  startsTls,
} from '../../../../src/wire/tls/client-hello-reader.ts';
import type { ClientHello } from '../../../../src/wire/tls/client-hello.ts';
import * as captured from '../../../support/tls/captured-hellos.ts';
import {
  clientHello,
  extension,
  helloBody,
  message,
  protocolList,
  records,
  serverName,
  vector,
} from '../../../support/tls/hello-building.ts';

/** Reads bytes that arrive in pieces of `step` bytes, each time in another buffer. */
function read(bytes: Buffer, step = bytes.length): ClientHello | string | null {
  const reader = new ClientHelloReader();
  for (
    let end = 0;
    end <= bytes.length;
    end = end < bytes.length ? Math.min(end + step, bytes.length) : end + 1
  ) {
    const start = end % 7;
    const buffer = Buffer.alloc(start + end + 3, 0x16);
    bytes.copy(buffer, start, 0, end);
    const result = reader.read(buffer, start, start + end);
    if (result !== null) return result instanceof Malformed ? result.problem : result;
  }
  return null;
}

/** The same, however the bytes are cut. */
function found(bytes: Buffer): ClientHello | string | null {
  const whole = read(bytes);
  for (const step of [1, 3, 100]) assert.deepEqual(read(bytes, step), whole, `cut every ${step} bytes`);
  return whole;
}

describe('a ClientHello', () => {
  it('from Node, OpenSSL, Python and Chromium yields the server name and protocols', () => {
    assert.deepEqual(found(captured.NODE), { serverName: 'node.example.com', protocols: ['http/1.1'] });
    assert.deepEqual(found(captured.OPENSSL_TLS_1_2), { serverName: null, protocols: [] });
    assert.deepEqual(found(captured.PYTHON), { serverName: 'python.example.com', protocols: [] });
    assert.deepEqual(found(captured.CHROMIUM), {
      serverName: 'chromium.example.com',
      protocols: ['h2', 'http/1.1'],
    });
  });

  it('may span several records, with bytes after it', () => {
    const body = message(helloBody([serverName('a.example'), protocolList('x')]));
    const expected = { serverName: 'a.example', protocols: ['x'] };
    for (const size of [1, 2, 3, 4, 5, 50])
      assert.deepEqual(found(Buffer.concat([records(body, size), Buffer.from('more')])), expected);
    assert.deepEqual(found(records(Buffer.concat([body, Buffer.from('more')]), 1000)), expected);
  });

  it('may have no extensions', () => {
    assert.deepEqual(found(records(message(helloBody(null)))), { serverName: null, protocols: [] });
  });

  it('has no server name if the name is not a DNS name', () => {
    for (const name of ['', '::1', 'a b', 'b\xfccher.example', 'a..b'])
      assert.deepEqual(found(clientHello([serverName(name)])), { serverName: null, protocols: [] });
  });

  it('may have extensions that are unknown', () => {
    const grease = extension(0x0a0a, Buffer.alloc(1));
    const hello = clientHello([
      grease,
      extension(0xfe0d, Buffer.alloc(300)),
      serverName('A.'),
      grease,
      grease,
    ]);
    assert.deepEqual(found(hello), { serverName: 'a', protocols: [] });
  });

  it('lists at most 32 protocols', () => {
    const result = found(clientHello([protocolList(...Array.from({ length: 5000 }, () => 'x'))]));
    assert.deepEqual(result, { serverName: null, protocols: Array.from({ length: 32 }, () => 'x') });
  });

  it('is refused if its extensions are malformed', () => {
    const name = Buffer.from('a');
    const list = (type: number, ...more: Buffer[]): Buffer =>
      extension(0, vector(2, Buffer.concat([Buffer.from([type]), vector(2, name), ...more])));
    const cases: Readonly<Record<string, readonly Buffer[]>> = {
      'more than one server name': [serverName('a'), serverName('a')],
      'more than one list of protocols': [protocolList('a'), protocolList('a')],
      'server name over 255 bytes': [serverName('a'.repeat(256))],
      'zero byte in the server name': [serverName('a.example\0.b.example')],
    };
    for (const [problem, extensions] of Object.entries(cases))
      assert.equal(found(clientHello(extensions)), problem);
    const badNames = [
      list(1),
      list(0, Buffer.from([0]), vector(2, name)),
      list(0, Buffer.from([1]), vector(2, name)),
      extension(0, Buffer.alloc(0)),
      extension(0, Buffer.from([0, 0])),
      extension(0, Buffer.from([0, 1, 0])),
      extension(0, Buffer.from([0, 4, 0, 0, 2, 0x61])),
      extension(0, Buffer.from([0, 5, 0, 0, 1, 0x61])),
    ];
    for (const bad of badNames) assert.equal(found(clientHello([bad])), 'bad server name');
    for (const bytes of [[], [0], [0, 0], [0, 1, 0], [0, 2, 2, 0x61], [0, 3, 1, 0x61], [0, 3, 1, 0x61, 0]])
      assert.equal(found(clientHello([extension(16, Buffer.from(bytes))])), 'bad list of protocols');
  });

  it('is refused if its form is wrong', () => {
    const good = helloBody([]);
    const at = (offset: number, ...bytes: number[]): Buffer => {
      const body = Buffer.from(good);
      body.set(bytes, offset);
      return records(message(body));
    };
    assert.notEqual(typeof found(at(0, 3)), 'string');
    assert.equal(found(at(0, 2)), 'bad version');
    assert.equal(found(records(message(good.subarray(0, 34)))), 'bad version');
    assert.equal(found(at(34, 33)), 'bad session id');
    assert.equal(found(at(35, 0, 0)), 'bad cipher suites');
    assert.equal(found(at(35, 0, 3)), 'bad cipher suites');
    assert.equal(found(at(39, 0)), 'bad compression methods');
    assert.equal(found(at(41, 0, 1)), 'bad length of the extensions');
    assert.equal(found(clientHello([Buffer.from([0, 5, 0])])), 'extension past the end');
    assert.equal(found(clientHello([Buffer.from([0, 5, 0, 1])])), 'extension past the end');
  });

  it('is refused as soon as a record is wrong', () => {
    const cases: readonly (readonly [string, string])[] = [
      ['1703', 'not a TLS handshake record'],
      ['1602', 'not a TLS handshake record'],
      ['1603010000', 'empty record'],
      ['1603014001', 'record too long'],
      ['160301000102', 'not a ClientHello'],
      ['160301000101' + '17', 'not a TLS handshake record'],
      ['160301400001003ff8', 'ClientHello over 16384 bytes'],
    ];
    for (const [hex, problem] of cases) {
      const bytes = Buffer.from(hex, 'hex');
      assert.equal(found(bytes), problem, hex);
      if (bytes.length > 2) assert.equal(found(bytes.subarray(0, -1)), null, hex);
    }
    assert.equal(found(Buffer.from('160301400001003ff7', 'hex')), null);
  });

  it('may have 16 KiB, including record heads', () => {
    const fit = MAX_HELLO_BYTES - clientHello([extension(21, Buffer.alloc(0))]).length;
    const padded = (bytes: number): Buffer => clientHello([extension(21, Buffer.alloc(bytes))]);
    assert.deepEqual(found(padded(fit)), { serverName: null, protocols: [] });
    assert.equal(found(padded(fit + 1)), 'ClientHello over 16384 bytes');
    const small = records(message(helloBody([extension(21, Buffer.alloc(4000))])), 1);
    assert.ok(small.length > MAX_HELLO_BYTES);
    assert.equal(found(small), 'ClientHello over 16384 bytes');
    assert.equal(found(small.subarray(0, MAX_HELLO_BYTES - 1)), null);
  });
});

describe('the start of TLS', () => {
  it('is distinguished from other protocols by the first bytes', () => {
    const starts = (hex: string): boolean | null => startsTls(Buffer.from(hex, 'hex'), 0, hex.length / 2);
    assert.equal(starts(''), null);
    assert.equal(starts('16'), null);
    assert.equal(starts('1603'), true);
    // Plain HTTP, a hello of SSL 2, an alert.
    for (const hex of ['47', '802e0103', '1503', '1602']) assert.equal(starts(hex), false);
  });
});
