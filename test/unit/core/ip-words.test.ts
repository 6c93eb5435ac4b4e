import assert from 'node:assert/strict';
import { isIP } from 'node:net';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { readIp } from '../../../src/core/ip-words.ts';
import { bytesOfIp } from '../../../src/wire/ip-address.ts';

/** Returns an address as 32 hexadecimal digits; null for a text that is no address. */
function read(text: string): string | null {
  const words = new Uint32Array(4);
  if (!readIp(text, words)) return null;
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}

describe('readIp', () => {
  it('reads both families, and IPv4 as mapped addresses', () => {
    const mapped = '00000000000000000000ffffc0000201';
    assert.equal(read('192.0.2.1'), mapped);
    assert.equal(read('::ffff:192.0.2.1'), mapped);
    assert.equal(read('::FFFF:c000:201'), mapped);
    assert.equal(read('::'), '0'.repeat(32));
    assert.equal(read('255.255.255.255'), '00000000000000000000ffffffffffff');
    assert.equal(read('2001:db8::1'), '20010db8000000000000000000000001');
    assert.equal(read('1:2:3:4:5:6:7::'), '00010002000300040005000600070000');
    assert.equal(read('1:2:3:4:5:6:1.2.3.4'), '00010002000300040005000601020304');
  });

  it('refuses text that is nearly an address', () => {
    const texts = [
      '',
      '.',
      ':',
      ':::',
      '1.2.3',
      '1.2.3.4.5',
      '1.2.3.256',
      '01.2.3.4',
      '1.2.3.4 ',
      '1::2::3',
      '1:2:3:4:5:6:7:8:9',
      '1:2:3:4:5:6:7:8::',
      '1:2:3:4:5:6:7:1.2.3.4',
      '12345::',
      '::1:',
      ':1::',
      '::g',
      '::1.2.3',
      'fe80::1%eth0',
      '[::1]',
      '::1/128',
    ];
    for (const text of texts) assert.equal(read(text), null, text);
  });

  it('accepts exactly what Node accepts', () => {
    const part = fc.constantFrom(
      ':',
      '::',
      '.',
      '0',
      '1',
      '00',
      '255',
      '256',
      'f',
      'ffff',
      'FFFF',
      '1.2.3.4',
      'g',
    );
    const text = fc.oneof(
      fc.ipV4(),
      fc.ipV6().map((address) => address.split('%', 1)[0]!),
      fc.array(part, { maxLength: 18 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (address) => {
        const bytes = isIP(address) === 0 ? null : bytesOfIp(address)!;
        const hex = bytes === null ? null : Buffer.from(bytes).toString('hex');
        assert.equal(read(address), hex?.padStart(32, '00000000000000000000ffff') ?? null);
      }),
      { numRuns: 5000 },
    );
  });
});
