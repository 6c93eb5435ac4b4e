import type { LiveFrame } from '../../protocol/admin/live.ts';
import { isSameRun } from './history.ts';

/** The answer rate and times of an endpoint, from two frames. */
interface Pace {
  /** Answers per second. */
  readonly rate: number;
  /** Number of answers. */
  readonly answers: number;
  /** Mean seconds per answer. Null without answers. */
  readonly mean: number | null;
  /** Answers with status 500 or above per second. */
  readonly serverErrorRate: number;
}

interface Counts {
  readonly at: number;
  readonly answers: number;
  readonly answerSeconds: number;
  readonly serverErrors: number;
}

interface Marks {
  /** The counts to compare with: 10 to 20 s old, or younger in the first 10 s. */
  older: Counts;
  newer: Counts;
}

/** Interval of the marks. A mean over at least 10 s does not jump with each answer. */
const MARK_MS = 10_000;

/** Derives the pace of each endpoint from two older counts. */
export class EndpointPaces {
  #marks = new Map<string, Marks>();
  #last: LiveFrame | null = null;

  /** Adds the counts of a frame, and forgets endpoints that the frame does not have. */
  add(frame: LiveFrame): void {
    const isContinued = this.#last !== null && isSameRun(this.#last, frame);
    this.#last = frame;
    const kept = new Map<string, Marks>();
    for (const cluster of frame.clusters) {
      for (const { address, answers, answerSeconds, serverErrors } of cluster.endpoints) {
        const key = endpointKey(cluster.name, address);
        const now: Counts = { at: frame.at, answers, answerSeconds, serverErrors };
        const before = isContinued ? this.#marks.get(key) : undefined;
        // If a reload removed an endpoint and a later one restored it, its counters restart.
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

  /** Returns the pace of an endpoint up to the last frame. Null if the last frame was its first. */
  paceOf(cluster: string, { address, answers, answerSeconds, serverErrors }: EndpointCounts): Pace | null {
    const older = this.#marks.get(endpointKey(cluster, address))?.older;
    if (older === undefined || this.#last === null || this.#last.at <= older.at) return null;
    const seconds = (this.#last.at - older.at) / 1000;
    const answered = answers - older.answers;
    const spent = answerSeconds - older.answerSeconds;
    return {
      rate: answered / seconds,
      answers: answered,
      mean: answered > 0 && spent > 0 ? spent / answered : null,
      serverErrorRate: Math.max(0, serverErrors - older.serverErrors) / seconds,
    };
  }
}

interface EndpointCounts extends Omit<Counts, 'at'> {
  readonly address: string;
}

/** Returns a key that is unique among the endpoints of all clusters. */
export function endpointKey(cluster: string, address: string): string {
  return `${cluster}\n${address}`;
}
