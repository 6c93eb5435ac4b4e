interface PaceTiming {
  /** Calls back once after a time. */
  readonly later: (ms: number, run: () => void) => void;
}

/** Max characters of the reports of all taps that workers may replace in one period. */
export const MAX_PERIOD_CHARACTERS = 4 * 1024 * 1024;
const PERIOD_MS = 100;

const TIMING: PaceTiming = { later: (ms, run) => void setTimeout(run, ms).unref() };

/**
 * Bounds how much of taps the primary passes on, however many workers and readers there are: its thread also answers probes
 * and looks after workers. A worker may send its next report only when the last one has been let through.
 */
export class ReportPace {
  readonly #timing: PaceTiming;
  #left = MAX_PERIOD_CHARACTERS;
  #isTimed = false;
  #held: { readonly characters: number; readonly onDue: () => void }[] = [];

  constructor(timing = TIMING) {
    this.#timing = timing;
  }

  /** Calls back now if the period has room, else in a later one. @param characters of the report */
  pass(characters: number, onDue: () => void): void {
    if (this.#left > 0) this.#let(characters, onDue);
    else this.#held.push({ characters, onDue });
    if (this.#isTimed) return;
    this.#isTimed = true;
    this.#timing.later(PERIOD_MS, () => this.#renew());
  }

  #let(characters: number, onDue: () => void): void {
    this.#left -= characters;
    onDue();
  }

  #renew(): void {
    this.#isTimed = false;
    this.#left = MAX_PERIOD_CHARACTERS;
    for (const { characters, onDue } of this.#held.splice(0)) this.pass(characters, onDue);
  }
}
