import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { SETTINGS, workerCount } from '../../../../src/config/schema/root-settings.ts';
import { FormatError } from '../../../../src/config/syntax/formats.ts';

describe('settings of the root', () => {
  it('count threads', () => {
    assert.equal(workerCount('auto'), availableParallelism());
    assert.equal(workerCount(3), 3);
    for (const value of [0, -1, 1.5, 257, '2', 'all', null]) {
      assert.throws(() => workerCount(value), /is not a number of threads: write auto, or 1 to 256$/);
    }
  });

  it('throw nothing but errors of formats, in one line', () => {
    const formats = Object.values(SETTINGS).map(({ format }) => format);
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom(...formats), (value, format) => {
        try {
          format(value);
        } catch (error) {
          assert.ok(error instanceof FormatError && !error.message.includes('\n'));
        }
      }),
    );
  });
});
