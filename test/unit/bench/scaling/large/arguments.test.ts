import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PARTS, parseLargeArguments } from '../../../../../bench/scaling/large/arguments.ts';
import { USUAL_SIZES } from '../../../../../bench/scaling/large/sizes.ts';
import { UsageError } from '../../../../../src/core/errors.ts';

describe('the command line of large configurations', () => {
  it('measures all parts at the usual sizes by default', () => {
    assert.deepEqual(parseLargeArguments(['--config']), {
      help: false,
      sizes: USUAL_SIZES,
      reloads: 50,
      rounds: 3,
      parts: PARTS,
      peers: false,
      write: null,
    });
  });

  it('accepts other sizes, a selection of parts, and an output file', () => {
    const argv = '--config --clusters 5 --routes 7 --workers 4 --only metrics,start --write out.md --peers';
    const { sizes, parts, write, peers } = parseLargeArguments(argv.split(' '));
    assert.deepEqual(sizes, { ...USUAL_SIZES, clusters: 5, routes: 7, workers: 4 });
    assert.deepEqual(parts, ['metrics', 'start']);
    assert.equal(write, 'out.md');
    assert.equal(peers, true);
  });

  it('refuses invalid sizes, unknown parts and unknown options', () => {
    for (const text of [
      '--clusters 0',
      '--clusters 100000 --endpoints 1000',
      '--routes 1.5',
      '--workers 65',
      '--only all',
      '--only lines',
      '--unknown',
    ]) {
      assert.throws(() => parseLargeArguments(['--config', ...text.split(' ')]), UsageError, text);
    }
  });
});
