import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DER, DerReader, dottedOf } from '../../../../src/core/certificate/der.ts';
import { der, oid } from '../../../support/certificate-der.ts';

describe('DerReader', () => {
  it('reads elements in turn', () => {
    const reader = new DerReader(Buffer.concat([der(0x02, '\x05'), der(0x04, 'x'.repeat(300))]));
    assert.deepEqual(reader.take(DER.integer), { tag: 0x02, start: 0, content: 2, end: 3 });
    assert.equal(reader.take(DER.integer), null, 'the tag differs');
    assert.deepEqual(reader.next(), { tag: 0x04, start: 3, content: 8, end: 308 });
    assert.equal(reader.isAtEnd, true);
    assert.equal(reader.next(), null);
  });

  it('enters an element without leaving its end', () => {
    const reader = new DerReader(Buffer.concat([der(0x30, der(0x02, '\x05')), der(0x02, '\x06')]));
    const inner = reader.enter(DER.sequence);
    assert.notEqual(inner?.next(), null);
    assert.equal(inner?.next(), null);
    assert.equal(reader.isAtEnd, false);
  });

  for (const [what, bytes] of [
    ['no length', [0x02]],
    ['a content that is cut', [0x02, 0x02, 0x01]],
    ['a length that is cut', [0x04, 0x82, 0x01]],
    ['a length of five bytes', [0x04, 0x85, 0, 0, 0, 0, 1, 0]],
    ['a length of 4 GiB', [0x04, 0x84, 0xff, 0xff, 0xff, 0xff, 0]],
    ['no definite length', [0x30, 0x80, 0, 0]],
    ['a tag of several bytes', [0x1f, 0x81, 0x01, 0]],
  ] as const) {
    it(`takes nothing that has ${what}`, () => {
      const reader = new DerReader(Buffer.from(bytes));
      assert.equal(reader.next(), null);
      assert.equal(reader.isAtEnd, false);
    });
  }

  it('reads nothing after its range', () => {
    const bytes = Buffer.concat([der(0x02, '\x05'), der(0x02, '\x06')]);
    assert.equal(new DerReader(bytes, 0, 2).next(), null);
  });
});

describe('dottedOf', () => {
  const contentOf = (dotted: string): Buffer => oid(dotted).subarray(2);

  for (const dotted of ['2.5.4.3', '1.2.840.113549.1.9.1', '0.9.2342.19200300.100.1.25', '2.999.3']) {
    it(`writes ${dotted}`, () => {
      assert.equal(dottedOf(contentOf(dotted)), dotted);
    });
  }

  it('writes numbers of 128 bits', () => {
    const bytes = Buffer.from([0x69, ...Buffer.alloc(18, 0xff), 0x7f]);
    assert.equal(dottedOf(bytes), `2.25.${2n ** 133n - 1n}`);
  });

  it('refuses empty, truncated or long content', () => {
    assert.equal(dottedOf(Buffer.alloc(0)), '');
    assert.equal(dottedOf(Buffer.from([0x55, 0x84])), '');
    assert.equal(dottedOf(Buffer.alloc(65, 1)), '');
  });
});
