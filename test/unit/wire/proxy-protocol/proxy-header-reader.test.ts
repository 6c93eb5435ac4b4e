import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Malformed } from '../../../../src/wire/malformed.ts';
import {
  hasProxySignature,
  readProxyHeader,
} from '../../../../src/wire/proxy-protocol/proxy-header-reader.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const TCP4 = '11';
const TCP6 = '21';
const IPV4_ADDRESSES = 'c0000201c6336402303901bb';
const IPV6_ADDRESSES = `20010db8${'00'.repeat(11)}01${'00'.repeat(10)}ffffc00002020050ffff`;

/** A header of version 2. @param fields in hex */
function block(command: string, family: string, addresses: string, ...fields: string[]): Buffer {
  const rest = Buffer.from(addresses + fields.join(''), 'hex');
  const length = Buffer.alloc(2);
  length.writeUInt16BE(rest.length);
  return Buffer.concat([Buffer.from(SIGNATURE + command + family, 'hex'), length, rest]);
}

/** A field in hex. */
function field(type: number, value: string): string {
  const bytes = Buffer.from(value, 'latin1');
  const head = Buffer.from([type, bytes.length >> 8, bytes.length & 0xff]);
  return Buffer.concat([head, bytes]).toString('hex');
}

function line(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

/** Reads bytes in the middle of others, and checks that every cut gives the same result. */
function read(bytes: Buffer): ReturnType<typeof readProxyHeader> {
  const around = Buffer.concat([Buffer.from('PROXY \r\n\r'), bytes, Buffer.from('\n0.0\r\n')]);
  const start = 9;
  for (let end = start; end <= start + bytes.length; end++) {
    const result = readProxyHeader(around, start, end);
    if (result === null) continue;
    assert.deepEqual(readProxyHeader(around, start, start + bytes.length), result);
    return result;
  }
  return null;
}

/** Returns the header's facts and its length. */
function found(bytes: Buffer): readonly unknown[] {
  const result = read(bytes);
  assert.ok(result !== null && !(result instanceof Malformed), JSON.stringify(result));
  const { source, destination, serverName, vpcEndpointId } = result.header;
  const text = (end: typeof source): string | null => end && `${end.address} ${end.port}`;
  return [result.length, text(source), text(destination), serverName, vpcEndpointId];
}

function problemOf(bytes: Buffer): string | null {
  const result = read(bytes);
  return result instanceof Malformed ? result.problem : null;
}

describe('a PROXY header of version 1', () => {
  it('names both ends over IPv4 and IPv6', () => {
    assert.deepEqual(found(line('PROXY TCP4 192.0.2.1 198.51.100.2 12345 443\r\nGET / HTTP/1.1\r\n')), [
      45,
      '192.0.2.1 12345',
      '198.51.100.2 443',
      null,
      null,
    ]);
    assert.deepEqual(found(line('PROXY TCP6 2001:DB8::0:1 ::ffff:192.0.2.9 0 65535\r\n')).slice(1, 3), [
      '2001:db8::1 0',
      '192.0.2.9 65535',
    ]);
  });

  it('may have the longest addresses', () => {
    const longest = `PROXY TCP6 ${'ffff:'.repeat(7)}ffff ${'ffff:'.repeat(7)}ffff 65535 65535\r\n`;
    assert.equal(longest.length, 104);
    assert.equal(found(line(longest))[0], 104);
  });

  it('has no addresses if the protocol is unknown, whatever follows', () => {
    const nobody = [null, null, null, null];
    for (const text of ['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN \r\n', `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`])
      assert.deepEqual(found(line(text)), [text.length, ...nobody]);
  });

  it('is refused if it is not exactly as specified', () => {
    const bad = {
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n': 'bad end of the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rX': 'bad end of the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n': 'bad end of the PROXY line',
      'PROXY UNKNOWN x\n': 'bad end of the PROXY line',
      'PROXY UNKNOWN \r\r\n': 'bad end of the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n': 'bad port in the PROXY line',
      'PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP4\t192.0.2.1 192.0.2.2 1 2\r\n': 'unknown protocol in the PROXY line',
      'PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP4 192.0.2 192.0.2.2 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP4 192.0.2.256 192.0.2.2 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP4 ::1 192.0.2.2 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP6 192.0.2.1 ::1 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP6 :::1 ::1 1 2\r\n': 'bad address in the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n': 'bad port in the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n': 'bad port in the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n': 'bad port in the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 \r\n': 'bad port in the PROXY line',
      'PROXY TCP4 192.0.2.1 192.0.2.2 1 2:\r\n': 'bad port in the PROXY line',
      'PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n': 'unknown protocol in the PROXY line',
      'PROXY UNKNOWNS\r\n': 'unknown protocol in the PROXY line',
      'PROXY tcp4 192.0.2.1 192.0.2.2 1 2\r\n': 'unknown protocol in the PROXY line',
      'proxy TCP4 192.0.2.1 192.0.2.2 1 2\r\n': 'no PROXY header',
      'GET / HTTP/1.1\r\n': 'no PROXY header',
    };
    for (const [text, problem] of Object.entries(bad)) assert.equal(problemOf(line(text)), problem, text);
  });

  it('is refused above 107 bytes, even without its end', () => {
    assert.equal(problemOf(line(`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`)), 'PROXY line over 107 bytes');
    assert.equal(problemOf(line(`PROXY TCP4 ${'1'.repeat(200)}`)), 'PROXY line over 107 bytes');
    assert.equal(read(line(`PROXY TCP4 ${'1'.repeat(95)}`)), null);
  });
});

describe('a PROXY header of version 2', () => {
  it('names both ends over IPv4 and IPv6', () => {
    const [source, destination] = ['192.0.2.1 12345', '198.51.100.2 443'];
    assert.deepEqual(found(block('21', TCP4, IPV4_ADDRESSES)), [28, source, destination, null, null]);
    const behind = Buffer.concat([block('21', TCP4, IPV4_ADDRESSES), line('GET')]);
    assert.deepEqual(found(behind), [28, source, destination, null, null]);
    assert.deepEqual(found(block('21', TCP6, IPV6_ADDRESSES)), [
      52,
      '2001:db8::1 80',
      '192.0.2.2 65535',
      null,
      null,
    ]);
  });

  it("has no addresses for the proxy's own connection, whatever it contains", () => {
    for (const rest of ['', IPV4_ADDRESSES, '0200', 'ff'.repeat(300)])
      assert.deepEqual(found(block('20', 'ff', rest)), [16 + rest.length / 2, null, null, null, null]);
  });

  it('has no addresses for datagrams, UNIX sockets and unknown families', () => {
    const name = field(0x02, 'Example.com');
    const cases: readonly (readonly [string, string, string | null])[] = [
      ['12', IPV4_ADDRESSES, 'example.com'],
      ['10', IPV4_ADDRESSES, 'example.com'],
      ['22', IPV6_ADDRESSES, 'example.com'],
      ['31', '2f'.repeat(216), 'example.com'],
      ['00', '', null],
      ['01', '2f', null],
    ];
    for (const [family, addresses, serverName] of cases) {
      const bytes = block('21', family, addresses, name);
      assert.deepEqual(found(bytes), [bytes.length, null, null, serverName, null]);
    }
  });

  it('carries the server name and the ID of an AWS VPC endpoint', () => {
    const fields = [
      field(0x01, 'h2'),
      field(0x04, '\0\0'),
      field(0x05, 'id'),
      field(0x20, '\x01\0\0\0\0!\0\x07TLSv1.3'),
      field(0xea, '\x02other'),
      field(0xea, ''),
      field(0xea, '\x01vpce-08d2bf15fac5001c9'),
      field(0x02, 'db.Example.com.'),
      field(0x02, 'second.example.com'),
      field(0xf0, ''),
    ];
    assert.deepEqual(found(block('21', TCP4, IPV4_ADDRESSES, ...fields)).slice(3), [
      'db.example.com',
      'vpce-08d2bf15fac5001c9',
    ]);
  });

  it('drops a server name or ID that is unsafe in a log', () => {
    const fields = [field(0x02, 'a b\n'), field(0xea, '\x01vpce "\n'), field(0xea, `\x01${'v'.repeat(65)}`)];
    assert.deepEqual(found(block('21', TCP4, IPV4_ADDRESSES, ...fields)).slice(3), [null, null]);
  });

  it('must match its checksum if it has one', () => {
    const bytes = block('21', TCP4, IPV4_ADDRESSES, field(0x04, 'abc'), field(0x03, '\0\0\0\0'));
    bytes.writeUInt32BE(crc32c(bytes), bytes.length - 4);
    assert.equal(found(bytes)[0], bytes.length);
    const type = bytes.length - 7;
    for (let at = 16; at < bytes.length; at++) {
      if (at === type) continue;
      const damaged = Buffer.from(bytes);
      damaged[at]! ^= 1;
      assert.notEqual(problemOf(damaged), null, `byte ${at}`);
    }
    assert.equal(
      problemOf(block('21', TCP4, IPV4_ADDRESSES, field(0x03, '\0'))),
      'wrong checksum of the PROXY header',
    );
  });

  it('is refused as soon as a byte is wrong', () => {
    const bad: readonly (readonly [string, string, number])[] = [
      [`${SIGNATURE}31`, 'unknown version or command in the PROXY header', 13],
      [`${SIGNATURE}22`, 'unknown version or command in the PROXY header', 13],
      [`${SIGNATURE}2141`, 'unknown family or protocol in the PROXY header', 14],
      [`${SIGNATURE}2113`, 'unknown family or protocol in the PROXY header', 14],
      [`${SIGNATURE}21110ff1`, 'PROXY header over 4096 bytes', 16],
      [`${SIGNATURE}20000ff1`, 'PROXY header over 4096 bytes', 16],
      [`${SIGNATURE}2111000b`, 'PROXY header too short for its addresses', 16],
      [`${SIGNATURE}21210023`, 'PROXY header too short for its addresses', 16],
      [`${SIGNATURE}213100d7`, 'PROXY header too short for its addresses', 16],
      ['0d0a0d0a47', 'no PROXY header', 5],
    ];
    for (const [hex, problem, length] of bad) {
      const bytes = Buffer.from(hex, 'hex');
      assert.equal(bytes.length, length);
      assert.equal(problemOf(bytes), problem);
      assert.equal(read(bytes.subarray(0, length - 1)), null);
    }
    assert.equal(read(Buffer.from(`${SIGNATURE}21110ff0`, 'hex')), null);
  });

  it('is refused if a field runs past its end', () => {
    const problem = 'field past the end of the PROXY header';
    for (const fields of ['02', '0200', '020001', '04ffff', `${field(0x04, '')}0500020a`])
      assert.equal(problemOf(block('21', TCP4, IPV4_ADDRESSES, fields)), problem, fields);
    const long = field(0x02, 'a'.repeat(256));
    assert.equal(problemOf(block('21', TCP4, IPV4_ADDRESSES, long)), 'server name over 255 bytes');
  });
});

describe('the signature of a PROXY header', () => {
  it('is ruled out by the first byte that differs', () => {
    const has = (text: string): boolean | null => hasProxySignature(line(text), 0, text.length);
    for (const text of ['', 'P', 'PROXY', '\r', '\r\n\r\n\0\r\nQUIT']) assert.equal(has(text), null, text);
    for (const text of ['PROXY ', 'PROXY garbage', '\r\n\r\n\0\r\nQUIT\nx'])
      assert.equal(has(text), true, text);
    for (const text of ['G', 'PRI', 'PROPFIND', '\r\nGET', '\x16\x03']) assert.equal(has(text), false, text);
  });
});

/** CRC-32C bit by bit: RFC 4960 appendix B has a table instead. */
function crc32c(bytes: Buffer): number {
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) * 0x82f63b78);
  }
  return ~sum >>> 0;
}
