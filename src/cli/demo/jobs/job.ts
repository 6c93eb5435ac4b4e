import { randomUUID } from 'node:crypto';

const STEPS = 100;
const POINTS_PER_STEP = 20_000;

type JobState = 'running' | 'done' | 'cancelled';

/** The progress of a job, as its watchers see it. */
export interface Progress {
  readonly type: 'progress';
  readonly id: string;
  readonly state: JobState;
  /** 0 to 100. */
  readonly percent: number;
  /** Random points so far. */
  readonly points: number;
  /** The estimate of pi so far, or null before the first step. */
  readonly estimate: number | null;
}

/** A long job: it estimates pi. Of random points in a square, pi / 4 lie in the circle that touches its sides. */
export class Job {
  /** Nobody can guess it: who knows it may watch and cancel the job. */
  readonly id: string = randomUUID();
  readonly #random: () => number;
  #state: JobState = 'running';
  #steps = 0;
  #inside = 0;

  /** @param random returns numbers from 0 to 1 */
  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  get isRunning(): boolean {
    return this.#state === 'running';
  }

  /** Does a hundredth of the work, in less than a millisecond. */
  step(): void {
    if (!this.isRunning) return;
    for (let point = 0; point < POINTS_PER_STEP; point++) {
      const [x, y] = [this.#random(), this.#random()];
      if (x * x + y * y < 1) this.#inside++;
    }
    if (++this.#steps === STEPS) this.#state = 'done';
  }

  /** Ends the job early. Does nothing if it has ended. */
  cancel(): void {
    if (this.isRunning) this.#state = 'cancelled';
  }

  get progress(): Progress {
    const points = this.#steps * POINTS_PER_STEP;
    return {
      type: 'progress',
      id: this.id,
      state: this.#state,
      percent: (100 * this.#steps) / STEPS,
      points,
      estimate: points === 0 ? null : (4 * this.#inside) / points,
    };
  }
}
