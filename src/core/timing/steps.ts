import type { Slices } from './slices.ts';

/** Work in steps. It yields after each step, so that the caller can do other work in between. */
export type Steps<Result> = Generator<undefined, Result, undefined>;

/** Does all steps without a pause. Returns the result. */
export function doSteps<Result>(steps: Steps<Result>): Result {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/**
 * Does all steps in slices. Resolves with the result. Rejects if a step throws, or the slices are cancelled.
 */
export async function doStepsInSlices<Result>(
  steps: Steps<Result>,
  slices: Pick<Slices, 'isOver' | 'next'>,
): Promise<Result> {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    if (slices.isOver()) await slices.next();
  }
}
