import type { Crew } from '../driver/crew/crew.ts';
import { monotonicNow } from '../driver/measuring/clock.ts';
import { cpuOf } from './process-usage.ts';

/** Measures the CPU of processes in the measured time of a run. */
export class CpuMeter {
  #begin = { at: 0, cpu: 0 };
  #end = { at: 0, cpu: 0 };

  constructor(crew: Crew, pids: readonly number[], durationMs: number) {
    const read = (): { at: number; cpu: number } => ({ at: monotonicNow(), cpu: cpuOf(pids) });
    crew.onStart = (from) => {
      setTimeout(() => {
        this.#begin = read();
        // Not so long from now: the reading has taken time itself.
        setTimeout(() => (this.#end = read()), from + durationMs - monotonicNow());
      }, from - monotonicNow());
    };
  }

  /** Returns the CPU in microseconds for each millisecond of the run; null if nothing was measured. */
  microsecondsPerMs(): number | null {
    const ms = this.#end.at - this.#begin.at;
    return ms > 0 ? ((this.#end.cpu - this.#begin.cpu) * 1000) / ms : null;
  }
}
