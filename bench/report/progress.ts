import type { Crew } from '../driver/crew/crew.ts';
import { monotonicNow } from '../driver/measuring/clock.ts';
import { formatCount } from '../figures/readable-numbers.ts';
import type { Plan } from '../options/plan.ts';

const PERIOD_MS = 250;
const BAR = 24;

/** A progress line on a terminal, redrawn during a run. */
export class Progress {
  readonly #crew: Crew;
  readonly #plan: Plan;
  readonly #output: NodeJS.WriteStream;
  readonly #timer: NodeJS.Timeout;
  #lastAt = monotonicNow();
  #lastMessages = 0;

  /** @param output a terminal */
  constructor(crew: Crew, plan: Plan, output: NodeJS.WriteStream) {
    this.#crew = crew;
    this.#plan = plan;
    this.#output = output;
    this.#timer = setInterval(() => this.#draw(), PERIOD_MS);
  }

  /** Stops the progress and clears the line. */
  end(): void {
    clearInterval(this.#timer);
    this.#output.write('\r\u001b[K');
  }

  #draw(): void {
    const { columns } = this.#output;
    // Some terminals report 0 columns.
    const line = this.#line().slice(0, columns > 1 ? columns - 1 : 79);
    this.#output.write(`\r${line}\u001b[K`);
  }

  #line(): string {
    const { page, measuringFrom } = this.#crew;
    const { connections, durationMs } = this.#plan;
    const now = monotonicNow();
    const messages = page.sum('messages');
    const rate = ((messages - this.#lastMessages) * 1000) / (now - this.#lastAt);
    this.#lastAt = now;
    this.#lastMessages = messages;
    const open = `${formatCount(page.sum('open'))} open`;
    const failures = page.sum('failures');
    const trouble = failures === 0 ? '' : `, ${formatCount(failures)} failed`;
    if (measuringFrom === null) return `opening ${formatCount(connections)} connections: ${open}${trouble}`;
    const share = this.#share((now - measuringFrom) / durationMs);
    const bar = '█'.repeat(Math.round(share * BAR)).padEnd(BAR, '░');
    const percent = `${Math.floor(share * 100)}%`.padStart(4);
    return `${bar} ${percent}  ${formatCount(Math.round(rate))} a second, ${open}${trouble}`;
  }

  /** Returns the finished fraction of the run: of its time or of a replay's clients, whichever is larger. */
  #share(ofTime: number): number {
    const { replay, connections } = this.#plan;
    const played =
      replay === null ? 0 : this.#crew.page.sum('played') / Math.max(connections, replay.facts.clients);
    return Math.min(1, Math.max(0, ofTime, played));
  }
}
