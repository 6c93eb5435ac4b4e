import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { addressMatcher } from '../../../src/core/address-blocks.ts';

describe('addressMatcher', () => {
  it('finds addresses and CIDR blocks of both families', () => {
    const matches = addressMatcher(['10.0.0.0/8', '192.0.2.1', 'fd00::/8', '2001:db8::1']);
    for (const address of ['10.255.0.1', '192.0.2.1', 'fd12::1', '2001:db8::1']) {
      assert.equal(matches(address), true, address);
    }
    for (const address of ['11.0.0.1', '192.0.2.2', 'fe80::1', '2001:db8::2', '::', '']) {
      assert.equal(matches(address), false, address);
    }
  });

  it('takes blocks of mapped addresses for blocks of IPv4', () => {
    const matches = addressMatcher(['::ffff:10.0.0.0/104', '::ffff:192.0.2.1']);
    for (const address of ['10.1.2.3', '192.0.2.1']) assert.equal(matches(address), true, address);
    for (const address of ['11.1.2.3', '192.0.2.2', '::1']) assert.equal(matches(address), false, address);
  });

  it('says the same however many addresses it is asked for', () => {
    const matches = addressMatcher(['10.0.0.0/8']);
    for (let round = 0; round < 2; round++) {
      for (let index = 0; index < 1500; index++) {
        assert.equal(matches(`10.0.${index >> 8}.${index & 255}`), true);
        assert.equal(matches(`11.0.${index >> 8}.${index & 255}`), false);
      }
    }
  });

  it('keeps no head alive whose part an address is', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const matches = addressMatcher(['10.0.0.0/8']);
    const usedNow = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = usedNow();
    for (let index = 0; index < 400; index++) {
      const address = `192.168.${100 + (index >> 7)}.${100 + (index & 127)}`;
      const head = Buffer.from(address + 'x'.repeat(32_000)).toString('latin1');
      matches(head.slice(0, address.length));
    }
    assert.ok(usedNow() - before < 4_000_000);
    assert.equal(matches('192.168.100.100'), false);
  });

  it('finds nothing without blocks', () => {
    assert.equal(addressMatcher([])('10.0.0.1'), false);
  });
});
