import type { Crew } from '../driver/crew/crew.ts';
import { monotonicNow } from '../driver/measuring/clock.ts';
import { cpuOf } from './process-usage.ts';

/** Measures the CPU of processes during the measured time of a run. */
export class CpuMeter {
  #begin = { at: 0, cpu: 0 };
  #end = { at: 0, cpu: 0 };

  constructor(crew: Crew, pids: readonly number[], durationMs: number) {
    const read = (): { at: number; cpu: number } => ({ at: monotonicNow(), cpu: cpuOf(pids) });
    crew.onStart = (from) => {
      setTimeout(() => {
        this.#begin = read();
        // Reading takes time: compute the remaining time again.
        setTimeout(() => (this.#end = read()), from + durationMs - monotonicNow());
      }, from - monotonicNow());
    };
  }

  /** Returns microseconds of CPU per millisecond of the run. Null if nothing was measured. */
  microsecondsPerMs(): number | null {
    const ms = this.#end.at - this.#begin.at;
    return ms > 0 ? ((this.#end.cpu - this.#begin.cpu) * 1000) / ms : null;
  }
}
