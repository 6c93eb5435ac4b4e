import type { SessionRow } from '../../protocol/access.ts';
import type { SessionsAnswer } from '../../protocol/admin/answers.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import { plural } from './format.ts';

/** A session of the search result. */
export interface FoundSession extends SessionRow {
  /** Whether the session ended after the search. */
  readonly hasEnded: boolean;
}

type ProcessFacts = Pick<LiveFrame, 'pid' | 'uptimeSeconds'>;

/** The sessions of the last search, and which of them ended since. */
export class FoundSessions {
  #answer: SessionsAnswer | null = null;
  readonly #ended = new Set<string>();
  #process: ProcessFacts | null = null;

  /** The answer to the last search. Null if there is none. */
  get answer(): SessionsAnswer | null {
    return this.#answer;
  }

  get rows(): readonly FoundSession[] {
    return (this.#answer?.sessions ?? []).map((row) => ({ ...row, hasEnded: this.#ended.has(row.id) }));
  }

  /** One or two sentences about the result. Empty without an answer. */
  get note(): string {
    if (this.#answer === null) return '';
    const { sessions, total, incomplete = [] } = this.#answer;
    const since = this.#ended.size === 0 ? '' : ` ${plural(this.#ended.size, 'session')} ended since.`;
    const found = total === 0 ? 'No session matches.' : `${sessions.length} of ${total} sessions.${since}`;
    return incomplete.length === 0 ? found : `${found} No answer from ${incomplete.join(', ')}.`;
  }

  /** Replaces the result. */
  set(answer: SessionsAnswer | null): void {
    this.#answer = answer;
    this.#ended.clear();
  }

  /**
   * Marks a session as ended: it was closed, or the proxy no longer knows it. Returns whether the result
   * contains it.
   */
  end(id: string): boolean {
    const isFound = this.#answer?.sessions.some((row) => row.id === id) === true;
    if (isFound) this.#ended.add(id);
    return isFound;
  }

  /**
   * Returns whether a frame is the first of another process, which invalidates the result. Must be called for
   * each frame.
   */
  isRestart({ pid, uptimeSeconds }: ProcessFacts): boolean {
    const before = this.#process;
    this.#process = { pid, uptimeSeconds };
    return before !== null && (before.pid !== pid || uptimeSeconds < before.uptimeSeconds);
  }
}
