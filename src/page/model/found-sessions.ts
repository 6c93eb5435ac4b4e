import type { SessionRow } from '../../protocol/access.ts';
import type { SessionsAnswer } from '../../protocol/admin/answers.ts';
import type { LiveFrame } from '../../protocol/admin/live.ts';
import { plural } from './format.ts';

/** A session that was found. */
export interface FoundSession extends SessionRow {
  /** Whether it has ended since the search. */
  readonly hasEnded: boolean;
}

type ProcessFacts = Pick<LiveFrame, 'pid' | 'uptimeSeconds'>;

/** The sessions of the last search, and which of them have ended since. */
export class FoundSessions {
  #answer: SessionsAnswer | null = null;
  readonly #ended = new Set<string>();
  #process: ProcessFacts | null = null;

  /** The answer to the last search; null without one. */
  get answer(): SessionsAnswer | null {
    return this.#answer;
  }

  get rows(): readonly FoundSession[] {
    return (this.#answer?.sessions ?? []).map((row) => ({ ...row, hasEnded: this.#ended.has(row.id) }));
  }

  /** One or two sentences about what was found; empty without an answer. */
  get note(): string {
    if (this.#answer === null) return '';
    const { sessions, total, incomplete = [] } = this.#answer;
    const since = this.#ended.size === 0 ? '' : ` ${plural(this.#ended.size, 'session')} ended since.`;
    const found = total === 0 ? 'No session fits.' : `${sessions.length} of ${total} sessions.${since}`;
    return incomplete.length === 0 ? found : `${found} No answer from ${incomplete.join(', ')}.`;
  }

  /** Takes the place of what was found before. */
  set(answer: SessionsAnswer | null): void {
    this.#answer = answer;
    this.#ended.clear();
  }

  /** Marks a session as ended: it was closed, or the proxy does not know it any more. Returns whether it is one of the found. */
  end(id: string): boolean {
    const isFound = this.#answer?.sessions.some((row) => row.id === id) === true;
    if (isFound) this.#ended.add(id);
    return isFound;
  }

  /** Takes notice of a frame. Returns whether it is the first one of another process, to which what was found means nothing. */
  isRestart({ pid, uptimeSeconds }: ProcessFacts): boolean {
    const before = this.#process;
    this.#process = { pid, uptimeSeconds };
    return before !== null && (before.pid !== pid || uptimeSeconds < before.uptimeSeconds);
  }
}
