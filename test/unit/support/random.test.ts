import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { repeatable, seeded } from '../../support/random.ts';

const ROOT = join(import.meta.dirname, '../../..');

/** Runs a script with the preload of random tests. */
function run(script: string, TEST_SEED: string): ReturnType<typeof spawnSync> & { readonly stderr: string } {
  const preload = join(ROOT, 'test/support/random.ts');
  return spawnSync(process.execPath, ['--import', preload, '--input-type=module', '--eval', script], {
    cwd: ROOT,
    env: { ...process.env, TEST_SEED },
    encoding: 'utf8',
    timeout: 30_000,
  });
}

describe('a test with random input', () => {
  it('has the same numbers for the same seed', async () => {
    const numbers = async (seed: number): Promise<readonly number[]> => {
      const found: number[] = [];
      await repeatable((random) => void found.push(random(), random()), seed)();
      return found;
    };
    assert.deepEqual(await numbers(42), await numbers(42));
    assert.notDeepEqual(await numbers(42), await numbers(43));
    const random = seeded(7);
    assert.ok(Array.from({ length: 1000 }, random).every((number) => number >= 0 && number < 1));
  });

  it('names its seed if it fails', async () => {
    const failing = repeatable(() => assert.fail('six is not nine'), 42);
    await assert.rejects(failing, { message: 'with TEST_SEED=42: six is not nine' });
  });

  it('gives the seed of the environment to fast-check', () => {
    const script =
      "import fc from 'fast-check'; fc.assert(fc.property(fc.nat(), (n) => { throw new Error(String(n)); }));";
    const [first, second, other] = ['42', '42', '-43'].map((seed) => run(script, seed).stderr);
    assert.match(first!, /\{ seed: 42, path: /);
    assert.match(other!, /\{ seed: -43, path: /);
    assert.equal(first, second);
    assert.match(run('', 'x').stderr, /TEST_SEED is x: write the seed of a failed test, a whole number/);
  });
});
