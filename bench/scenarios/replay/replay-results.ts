import type { ReplayCounts } from '../../driver/measuring/outcome.ts';
import type { DriveContext } from '../../driver/sessions/traffic.ts';
import type { RecordedClient } from '../../recorded/recorded-clients.ts';
import type { PlayResults } from './player.ts';

/** Max differences that a thread reports. */
const MAX_DIFFERENCES = 10;

/** Counts what the players of one thread do. */
export class ReplayResults implements PlayResults {
  /** Whether the run is over. Sessions that end from now on are cut short and do not count. */
  isOver = false;
  readonly #context: Pick<DriveContext, 'recorder' | 'page' | 'thread'>;
  #begun = 0;
  #played = 0;
  #failed = 0;
  #sent = 0;
  #sentBytes = 0;
  readonly #differences: string[] = [];

  constructor(context: Pick<DriveContext, 'recorder' | 'page' | 'thread'>) {
    this.#context = context;
  }

  counts(): ReplayCounts {
    return {
      begun: this.#begun,
      played: this.#played,
      failed: this.#failed,
      sent: this.#sent,
      sentBytes: this.#sentBytes,
      differences: this.#differences,
    };
  }

  began(): void {
    this.#begun++;
  }

  delayed(since: number): void {
    this.#context.recorder.sent(since);
  }

  ended(isGood: boolean): void {
    if (this.isOver) return;
    if (isGood) this.#played++;
    else this.#failed++;
    this.#context.page.set(this.#context.thread, 'played', this.#played + this.#failed);
  }

  sent(due: number, bytes: number): void {
    this.#sent++;
    this.#sentBytes += bytes;
    this.#context.recorder.sent(due);
  }

  arrived(bytes: number): void {
    this.#context.recorder.arrived(bytes);
  }

  unsolicited(): void {
    this.#context.recorder.unsolicited++;
  }

  answered(since: number): void {
    this.#context.recorder.waited(since);
  }

  error(kind: string): void {
    if (!this.isOver) this.#context.recorder.error(kind);
  }

  differed({ session }: RecordedClient, what: string): void {
    if (this.#differences.length < MAX_DIFFERENCES) this.#differences.push(`session ${session}, ${what}`);
  }
}
