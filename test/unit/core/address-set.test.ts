import assert from 'node:assert/strict';
import { BlockList, isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { AddressSet } from '../../../src/core/address-set.ts';

describe('AddressSet', () => {
  it('contains addresses and CIDR blocks of both families', () => {
    const set = new AddressSet(['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '2001:db8::1']);
    for (const address of ['10.0.0.0', '10.255.255.255', '192.0.2.1', 'fd12::1', '2001:db8::1']) {
      assert.equal(set.has(address), true, address);
    }
    for (const address of ['9.255.255.255', '11.0.0.0', '192.0.2.2', 'fe80::1', '2001:db8::2', '::']) {
      assert.equal(set.has(address), false, address);
    }
  });

  it('treats blocks of mapped addresses as blocks of IPv4', () => {
    const set = new AddressSet(['::ffff:10.0.0.0/104', '::ffff:192.0.2.1']);
    for (const address of ['10.1.2.3', '192.0.2.1']) assert.equal(set.has(address), true, address);
    for (const address of ['11.1.2.3', '192.0.2.2', '::1']) assert.equal(set.has(address), false, address);
  });

  it('contains all of IPv4 in a block around the mapped range, and no IPv6 in IPv4 blocks', () => {
    assert.equal(new AddressSet(['::/0']).has('192.0.2.1'), true);
    assert.equal(new AddressSet(['0.0.0.0/0']).has('255.0.0.1'), true);
    assert.equal(new AddressSet(['0.0.0.0/0']).has('2001:db8::1'), false);
  });

  it('ignores the bits after a prefix', () => {
    assert.equal(new AddressSet(['10.1.2.3/8']).has('10.200.0.1'), true);
  });

  it('contains no text that is not an address', () => {
    const set = new AddressSet(['::/0']);
    for (const text of ['', 'unknown', '10.0.0', '10.0.0.1:80', '/tmp/socket']) {
      assert.equal(set.has(text), false, text);
    }
  });

  it('is empty without blocks', () => {
    assert.equal(new AddressSet([]).has('10.0.0.1'), false);
  });

  it('refuses malformed blocks', () => {
    for (const block of ['', '10.0.0.0/33', '::/129', '10.0.0.0/', '10.0.0.0/-1', '10.0.0.0/8/8', 'host/8']) {
      assert.throws(() => new AddressSet([block]), RangeError, block);
    }
  });

  it('is created once per list', () => {
    const list = ['10.0.0.0/8'];
    assert.equal(AddressSet.of(list), AddressSet.of(list));
    assert.notEqual(AddressSet.of(list), AddressSet.of([...list]));
  });

  it("agrees with Node's BlockList", () => {
    // Few values, so that blocks lie in each other and addresses lie at their ends.
    const number = fc.constantFrom(0, 1, 127, 128, 254, 255);
    const ipV4 = fc.tuple(number, number, number, number).map((numbers) => numbers.join('.'));
    const group = fc.constantFrom('0', '1', '7fff', '8000', 'fffe', 'ffff');
    const groups = fc.array(group, { minLength: 8, maxLength: 8 }).map((each) => each.join(':'));
    const ipV6 = fc.oneof(
      groups,
      fc.ipV6().map((address) => address.split('%', 1)[0]!),
    );
    const blocks = fc.oneof(
      fc.tuple(ipV4, fc.integer({ min: 0, max: 32 })),
      fc.tuple(ipV6, fc.integer({ min: 0, max: 128 })),
      fc.tuple(ipV4, fc.integer({ min: 96, max: 128 })).map(([address, prefix]) => {
        return [`::ffff:${address}`, prefix] as const;
      }),
    );
    const address = fc.oneof(ipV4, ipV6, fc.ipV4());
    fc.assert(
      fc.property(
        fc.array(blocks, { maxLength: 12 }),
        fc.array(address, { maxLength: 12 }),
        (list, addresses) => {
          const oracle = new BlockList();
          for (const [base, prefix] of list) oracle.addSubnet(base, prefix, familyOf(base));
          const set = new AddressSet(list.map(([base, prefix]) => `${base}/${prefix}`));
          for (const each of [...addresses, ...list.map(([base]) => base)]) {
            assert.equal(set.has(each), oracle.check(each, familyOf(each)), each);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('is exact with 100,000 networks', () => {
    const blocks = Array.from(
      { length: 100_000 },
      (_, index) => `10.${index >> 10}.${(index >> 2) & 255}.${(index & 3) << 6}/27`,
    );
    const set = new AddressSet(blocks);
    for (let index = 0; index < 100_000; index += 97) {
      const network = `10.${index >> 10}.${(index >> 2) & 255}`;
      const first = (index & 3) << 6;
      for (const [last, isIn] of [
        [first, true],
        [first + 31, true],
        [first + 32, false],
        [first + 63, false],
      ] as const) {
        assert.equal(set.has(`${network}.${last}`), isIn, `${network}.${last}`);
      }
    }
  });
});

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}
