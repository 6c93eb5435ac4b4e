import assert from 'node:assert/strict';
import { isIPv4, isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { formatIp, networkOf, normalizeIp, ipOfSocket } from '../../../src/wire/ip-address.ts';

function bytesOf(...groups: number[]): Uint8Array {
  return Uint8Array.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
}

describe('an IP address as text', () => {
  it('is dotted for IPv4, in IPv6 or alone', () => {
    assert.equal(formatIp(Uint8Array.of(127, 0, 0, 1)), '127.0.0.1');
    assert.equal(formatIp(Uint8Array.of(0, 0, 0, 0)), '0.0.0.0');
    assert.equal(formatIp(bytesOf(0, 0, 0, 0, 0, 0xffff, 0xc000, 0x0201)), '192.0.2.1');
  });

  it('is as RFC 5952 recommends for IPv6', () => {
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['::', bytesOf(0, 0, 0, 0, 0, 0, 0, 0)],
      ['::1', bytesOf(0, 0, 0, 0, 0, 0, 0, 1)],
      ['1::', bytesOf(1, 0, 0, 0, 0, 0, 0, 0)],
      ['2001:db8::1', bytesOf(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)],
      // Section 4.2.2: one group of zeros is not shortened.
      ['2001:db8:0:1:1:1:1:1', bytesOf(0x2001, 0xdb8, 0, 1, 1, 1, 1, 1)],
      ['0:1:1:1:1:1:1:1', bytesOf(0, 1, 1, 1, 1, 1, 1, 1)],
      // Section 4.2.3: the longest run, and of two the first.
      ['2001:0:0:1::1', bytesOf(0x2001, 0, 0, 1, 0, 0, 0, 1)],
      ['2001:db8::1:0:0:1', bytesOf(0x2001, 0xdb8, 0, 0, 1, 0, 0, 1)],
      ['::1:0:0:0', bytesOf(0, 0, 0, 0, 1, 0, 0, 0)],
      ['1:0:0:2::', bytesOf(1, 0, 0, 2, 0, 0, 0, 0)],
      ['fe80::aaaa:bbbb:cccc:dddd', bytesOf(0xfe80, 0, 0, 0, 0xaaaa, 0xbbbb, 0xcccc, 0xdddd)],
    ];
    for (const [text, bytes] of cases) assert.equal(formatIp(bytes), text);
  });

  it('stands for the same bytes, in the same form as in a URL', () => {
    const group = fc.oneof(fc.constant(0), fc.constantFrom(1, 0xff, 0xffff), fc.nat(0xffff));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const text = formatIp(bytesOf(...groups));
        const full = groups.map((value) => value.toString(16)).join(':');
        const mapped = groups.slice(0, 5).every((value) => value === 0) && groups[5] === 0xffff;
        assert.equal(mapped ? isIPv4(text) : isIPv6(text), true, text);
        // The URL standard writes IPv6 hosts by RFC 5952, except for those that hold an IPv4 address.
        if (!mapped) assert.equal(`[${text}]`, new URL(`http://[${full}]/`).hostname);
      }),
      { numRuns: 500 },
    );
  });

  it('is empty for bytes that are not an address', () => {
    for (const length of [0, 1, 3, 5, 15, 17]) assert.equal(formatIp(new Uint8Array(length)), '');
  });
});

describe('the normalized form of an address', () => {
  it('is the formatted bytes of the address', () => {
    for (const [text, normal] of [
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['::FFFF:c000:201', '192.0.2.1'],
      ['0:0:0:0:0:ffff:192.0.2.1', '192.0.2.1'],
      ['2001:0DB8:0:0::0001', '2001:db8::1'],
      ['1:2:3:4:5:6:7.8.9.10', '1:2:3:4:5:6:708:90a'],
      ['::', '::'],
      ['1::', '1::'],
      ['fe80::1%eth0', 'fe80::1'],
    ] as const) {
      assert.equal(normalizeIp(text), normal, text);
    }
  });

  it('does not change a normalized address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), (bytes) => {
        assert.equal(normalizeIp(formatIp(bytes)), formatIp(bytes));
      }),
    );
  });

  it('is null for text that is not an address', () => {
    const none = ['', 'a', '1.2.3', '1.2.3.4.5', '01.2.3.4', ':::', '[::1]', '1.2.3.4:80', ' 1.2.3.4'];
    for (const text of [...none, `fe80::1%${'x'.repeat(64)}`]) assert.equal(normalizeIp(text), null, text);
  });
});

describe("the address of a socket's end", () => {
  it('is IPv4 if a dual-stack socket reports it as mapped IPv6', () => {
    assert.equal(ipOfSocket('::ffff:192.0.2.1'), '192.0.2.1');
    assert.equal(ipOfSocket('2001:DB8::1'), '2001:db8::1');
    assert.equal(ipOfSocket(''), '');
  });
});

describe('the network of an address', () => {
  it('is the IPv4 address itself, or the first 64 bits of an IPv6 address', () => {
    for (const [address, network] of [
      ['192.0.2.1', '192.0.2.1'],
      ['::ffff:192.0.2.1', '192.0.2.1'],
      ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
      ['2001:DB8:0:1::9', '2001:db8:0:1::/64'],
      ['2001:db8::1', '2001:db8:0:0::/64'],
      ['2001:db8::2:0:0:0:1', '2001:db8:0:2::/64'],
      ['::1', '0:0:0:0::/64'],
      ['::', '0:0:0:0::/64'],
      ['fe80::', 'fe80:0:0:0::/64'],
      ['fe80::1%eth0.100', 'fe80:0:0:0::/64'],
      ['', ''],
    ] as const) {
      assert.equal(networkOf(address), network, address);
    }
  });
});
