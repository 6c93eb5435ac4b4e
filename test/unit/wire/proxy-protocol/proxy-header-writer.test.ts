import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  writeProxyHeader,
  type ConnectionEnds,
} from '../../../../src/wire/proxy-protocol/proxy-header-writer.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const IPV4: ConnectionEnds = {
  source: { address: '192.0.2.7', port: 40_000 },
  destination: { address: '198.51.100.1', port: 443 },
  serverName: null,
};
const IPV6: ConnectionEnds = {
  source: { address: '2001:db8::7', port: 1 },
  destination: { address: '2001:db8::1', port: 65_535 },
  serverName: null,
};

function line(ends: ConnectionEnds | null): string {
  return writeProxyHeader('v1', ends).toString('latin1');
}

function hex(ends: ConnectionEnds | null): string {
  return writeProxyHeader('v2', ends).toString('hex');
}

describe('a PROXY header of version 1', () => {
  it('names both ends of a connection', () => {
    assert.equal(line(IPV4), 'PROXY TCP4 192.0.2.7 198.51.100.1 40000 443\r\n');
    assert.equal(line(IPV6), 'PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n');
  });

  it('maps IPv4 into IPv6 if only one end has IPv4', () => {
    const mixed = { ...IPV4, destination: IPV6.destination };
    assert.equal(line(mixed), 'PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 40000 65535\r\n');
  });

  it('says UNKNOWN only for sluice’s own connections', () => {
    assert.equal(line(null), 'PROXY UNKNOWN\r\n');
    const nameless = { ...IPV4, source: { address: '', port: 0 } };
    assert.equal(line(nameless), 'PROXY TCP4 0.0.0.0 198.51.100.1 0 443\r\n');
  });

  it('has at most 107 bytes, as the specification allows', () => {
    const address = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
    const end = { address, port: 65_535 };
    assert.ok(line({ source: end, destination: end, serverName: 'a'.repeat(300) }).length <= 107);
  });
});

describe('a PROXY header of version 2', () => {
  it('names both ends of a connection', () => {
    assert.equal(hex(IPV4), `${SIGNATURE}2111000cc0000207c63364019c4001bb`);
    const from = '20010db8000000000000000000000007';
    const to = '20010db8000000000000000000000001';
    assert.equal(hex(IPV6), `${SIGNATURE}21210024${from}${to}0001ffff`);
  });

  it('maps IPv4 into IPv6 if only one end has IPv4', () => {
    const mixed = { ...IPV6, source: IPV4.source };
    const from = '00000000000000000000ffffc0000207';
    assert.equal(hex(mixed), `${SIGNATURE}21210024${from}20010db80000000000000000000000019c40ffff`);
  });

  it('carries the server name', () => {
    assert.equal(
      hex({ ...IPV4, serverName: 'a.example' }),
      `${SIGNATURE}21110018c0000207c63364019c4001bb020009${Buffer.from('a.example').toString('hex')}`,
    );
  });

  it('omits a server name that is not a DNS name', () => {
    assert.equal(hex({ ...IPV4, serverName: 'a'.repeat(256) }), hex(IPV4));
  });

  it('says LOCAL only for sluice’s own connections', () => {
    assert.equal(hex(null), `${SIGNATURE}20000000`);
    assert.match(hex({ ...IPV4, source: { address: '', port: 0 } }), /^0d0a0d0a000d0a515549540a2111/);
  });
});
