interface PaceTiming {
  /** Calls back once, after `ms`. */
  readonly later: (ms: number, run: () => void) => void;
}

/** Max characters of all taps' reports that may pass per period. */
export const MAX_PERIOD_CHARACTERS = 4 * 1024 * 1024;
const PERIOD_MS = 100;

const TIMING: PaceTiming = { later: (ms, run) => void setTimeout(run, ms).unref() };

/**
 * Limits how much tap data the primary forwards, for any number of workers and readers: its thread also
 * answers probes and supervises workers. A worker may send its next report only after the last one has
 * passed.
 */
export class ReportPace {
  readonly #timing: PaceTiming;
  #left = MAX_PERIOD_CHARACTERS;
  #isTimed = false;
  #held: { readonly characters: number; readonly onDue: () => void }[] = [];

  constructor(timing = TIMING) {
    this.#timing = timing;
  }

  /**
   * Calls back now if the period has room, otherwise in a later one.
   *
   * @param characters length of the report
   */
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
