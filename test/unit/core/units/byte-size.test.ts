import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  formatByteSize,
  formatRoundedByteSize,
  parseByteSize,
} from '../../../../src/core/units/byte-size.ts';

describe('byte size', () => {
  it('reads a number and a unit; without a unit, bytes', () => {
    assert.equal(parseByteSize('0'), 0);
    assert.equal(parseByteSize('512'), 512);
    assert.equal(parseByteSize('512B'), 512);
    assert.equal(parseByteSize('64KiB'), 65_536);
    assert.equal(parseByteSize('1.5MiB'), 1_572_864);
    assert.equal(parseByteSize('2GiB'), 2_147_483_648);
    assert.equal(parseByteSize('64KB'), 64_000);
    assert.equal(parseByteSize('1MB'), 1_000_000);
    assert.equal(parseByteSize('1GB'), 1_000_000_000);
  });

  it('refuses text that is not a size', () => {
    for (const text of [
      '',
      'KiB',
      '64 KiB',
      '64kib',
      '64K',
      '-1',
      '1e3',
      '0x10',
      '.5KiB',
      '5.KiB',
      '1TiB',
      ' 1',
      '1toString',
    ]) {
      assert.equal(parseByteSize(text), undefined, text);
    }
  });

  it('never rounds a positive amount to 0', () => {
    assert.equal(parseByteSize('0.1B'), 1);
    assert.equal(parseByteSize('0.0000001KiB'), 1);
    assert.equal(parseByteSize('0.0KiB'), 0);
  });

  it('is formatted in the largest binary unit without a fraction', () => {
    assert.equal(formatByteSize(0), '0B');
    assert.equal(formatByteSize(1023), '1023B');
    assert.equal(formatByteSize(65_536), '64KiB');
    assert.equal(formatByteSize(1025 * 1024), '1025KiB');
    assert.equal(formatByteSize(1024 ** 3), '1GiB');
  });

  it('is rounded to a number of at least 10 in a unit', () => {
    assert.equal(formatRoundedByteSize(0), '0B');
    assert.equal(formatRoundedByteSize(10 * 1024 - 1), '10239B');
    assert.equal(formatRoundedByteSize(10 * 1024 + 1), '10KiB');
    assert.equal(formatRoundedByteSize(1040 * 1024 ** 2 + 5), '1040MiB');
    assert.equal(formatRoundedByteSize(12.5 * 1024 ** 3), '13GiB');
  });

  it('reads back what it wrote', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom(1, 1024, 1024 ** 2), (count, unit) => {
        const bytes = count * unit;
        assert.equal(parseByteSize(formatByteSize(bytes)), bytes);
      }),
    );
  });
});
