/**
 * Makes tests with random input repeatable. A failed test names its seed, and the variable TEST_SEED takes it:
 * `TEST_SEED=42 npx node --import ./test/support/random.ts --test FILE`. This preload gives the seed to fast-check.
 */
import fc from 'fast-check';

/** Numbers from 0 to below 1. */
type Random = () => number;

const GIVEN_SEED = seedOf(process.env.TEST_SEED);
if (GIVEN_SEED !== null) fc.configureGlobal({ seed: GIVEN_SEED });

/** Returns a test that gets random numbers. If the test fails, the error names their seed. */
export function repeatable(
  test: (random: Random) => void | Promise<void>,
  seed: number = GIVEN_SEED ?? Math.floor(Math.random() * 2 ** 31),
): () => Promise<void> {
  return async () => {
    try {
      await test(seeded(seed));
    } catch (error) {
      throw new Error(`with TEST_SEED=${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  };
}

/** Makes a generator of random numbers that the seed determines (linear congruential, 32 bits). */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

function seedOf(text: string | undefined): number | null {
  if (text === undefined || text === '') return null;
  if (/^-?\d{1,10}$/.test(text)) return Number(text);
  throw new Error(`TEST_SEED is ${text}: write the seed of a failed test, a whole number`);
}
