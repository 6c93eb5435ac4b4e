import type { LiveFrame } from '../../protocol/admin/live.ts';
import { isSameRun } from './history.ts';

/** How an endpoint answers, from two frames. */
interface Pace {
  /** Answers a second. */
  readonly rate: number;
  /** Mean time of an answer in seconds; null without an answer. */
  readonly mean: number | null;
  /** Answers with a status of 500 and above, a second. */
  readonly serverErrorRate: number;
}

interface Counts {
  readonly at: number;
  readonly answers: number;
  readonly answerSeconds: number;
  readonly serverErrors: number;
}

interface Marks {
  /** The counts that the present ones are compared with: 10 to 20 s old, or younger in the first 10 s. */
  older: Counts;
  newer: Counts;
}

/** The time between two marks. A mean over 10 s and more does not jump with each answer. */
const MARK_MS = 10_000;

/** Keeps two older counts of each endpoint of the last frame, and so knows its pace. */
export class EndpointPaces {
  #marks = new Map<string, Marks>();
  #last: LiveFrame | null = null;

  /** Takes the counts of a frame, and forgets the endpoints that it does not have. */
  add(frame: LiveFrame): void {
    const isContinued = this.#last !== null && isSameRun(this.#last, frame);
    this.#last = frame;
    const kept = new Map<string, Marks>();
    for (const cluster of frame.clusters) {
      for (const { address, answers, answerSeconds, serverErrors } of cluster.endpoints) {
        const key = endpointKey(cluster.name, address);
        const now: Counts = { at: frame.at, answers, answerSeconds, serverErrors };
        const before = isContinued ? this.#marks.get(key) : undefined;
        // Counters of an endpoint that a reload has removed and brought back begin again.
        const marks =
          before === undefined || before.newer.answers > answers ? { older: now, newer: now } : before;
        if (now.at - marks.newer.at >= MARK_MS) {
          marks.older = marks.newer;
          marks.newer = now;
        }
        kept.set(key, marks);
      }
    }
    this.#marks = kept;
  }

  /** Returns an endpoint's pace up to the last frame; null for an endpoint that it is the first one of. */
  paceOf(cluster: string, { address, answers, answerSeconds, serverErrors }: EndpointCounts): Pace | null {
    const older = this.#marks.get(endpointKey(cluster, address))?.older;
    if (older === undefined || this.#last === null || this.#last.at <= older.at) return null;
    const seconds = (this.#last.at - older.at) / 1000;
    const answered = answers - older.answers;
    const spent = answerSeconds - older.answerSeconds;
    return {
      rate: answered / seconds,
      mean: answered > 0 && spent > 0 ? spent / answered : null,
      serverErrorRate: Math.max(0, serverErrors - older.serverErrors) / seconds,
    };
  }
}

interface EndpointCounts extends Omit<Counts, 'at'> {
  readonly address: string;
}

/** Returns a name for an endpoint among those of all clusters. */
export function endpointKey(cluster: string, address: string): string {
  return `${cluster}\n${address}`;
}
