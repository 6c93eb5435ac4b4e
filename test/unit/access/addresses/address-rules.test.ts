import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AddressRules } from '../../../../src/access/addresses/address-rules.ts';

function admitted(rules: AddressRules | null, ...addresses: string[]): string[] {
  return addresses.filter((address) => rules!.admits(address));
}

describe('AddressRules', () => {
  it('are null if every address is admitted', () => {
    assert.equal(AddressRules.of(null), null);
    assert.equal(AddressRules.of({ deny: [], allow: null }), null);
  });

  it('admit only the addresses of an allow list', () => {
    const rules = AddressRules.of({ deny: [], allow: ['10.0.0.0/8', '2001:db8::/32'] });
    assert.deepEqual(admitted(rules, '10.1.2.3', '2001:db8::7', '192.0.2.1', '2001:db9::', ''), [
      '10.1.2.3',
      '2001:db8::7',
    ]);
  });

  it('admit all addresses except those of a deny list', () => {
    const rules = AddressRules.of({ deny: ['203.0.113.0/24'], allow: null });
    assert.deepEqual(admitted(rules, '203.0.113.9', '203.0.112.9', '::1', ''), ['203.0.112.9', '::1', '']);
  });

  it('give deny precedence', () => {
    const rules = AddressRules.of({ deny: ['10.0.0.0/24'], allow: ['10.0.0.0/8', '10.0.0.7'] });
    assert.deepEqual(admitted(rules, '10.0.0.7', '10.0.1.7'), ['10.0.1.7']);
  });

  it('refuse everyone with an empty allow list', () => {
    assert.deepEqual(admitted(AddressRules.of({ deny: [], allow: [] }), '10.0.0.1', '::1', ''), []);
  });
});
