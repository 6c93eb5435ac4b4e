import assert from 'node:assert/strict';
import { syncBuiltinESMExports } from 'node:module';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import v8 from 'node:v8';
import { compileEarly } from '../../../../src/worker/warm-up/early-compilation.ts';

describe(
  'early compilation',
  { skip: process.versions.v8.startsWith('12.4.') ? false : 'another V8' },
  () => {
    const { execArgv } = process;
    let flags: string[];

    beforeEach(() => {
      flags = [];
      mock.method(v8, 'setFlagsFromString', (flag: string) => void flags.push(flag));
      syncBuiltinESMExports();
    });
    afterEach(() => {
      process.execArgv = execArgv;
      mock.restoreAll();
      syncBuiltinESMExports();
    });

    it('lasts until the act ends, even with a failure', async () => {
      const [early, usual] = [100, 3000].map((calls) => `--invocation-count-for-turbofan=${calls}`);
      await compileEarly(() => {
        assert.deepEqual(flags, [early]);
        return Promise.resolve();
      });
      assert.deepEqual(flags, [early, usual]);
      await assert.rejects(
        compileEarly(() => Promise.reject(new Error('broken'))),
        /broken/,
      );
      assert.deepEqual(flags, [early, usual, early, usual]);
    });

    it('leaves a flag of the command line alone, in every spelling', async () => {
      for (const argument of [
        '--invocation-count-for-turbofan=500',
        '--invocation_count_for_turbofan=500',
        '-invocation_count-for-turbofan=500',
      ]) {
        process.execArgv = ['--enable-source-maps', argument];
        assert.equal(await compileEarly(() => Promise.resolve('done')), 'done');
        assert.deepEqual(flags, [], argument);
      }
    });
  },
);
