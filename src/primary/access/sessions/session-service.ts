import type { SessionAnswer, SessionFilter, SessionRow } from '../../../protocol/access.ts';
import type { Answers, WorkerQuestions } from './worker-questions.ts';

/** Names of the workers that did not answer. The result lacks their sessions. */
type Incomplete = Pick<Answers, 'incomplete'>;

interface SessionPage extends Incomplete {
  /** Number of sessions on all pages. */
  readonly total: number;
  readonly sessions: readonly SessionRow[];
  /** The next page starts after this id; null on the last page. */
  readonly next: string | null;
}

interface Closed extends Incomplete {
  readonly closed: number;
}

interface Extended extends Incomplete {
  readonly found: boolean;
  /** When the session ends, in milliseconds since 1970; null if it never does. */
  readonly at: number | null;
}

/** Lists and changes the sessions of all workers. */
export class SessionService {
  /** Number of sessions that operators closed, except by revocations. */
  kicked = 0;
  readonly #questions: Pick<WorkerQuestions, 'ask'>;

  constructor(questions: Pick<WorkerQuestions, 'ask'>) {
    this.#questions = questions;
  }

  /**
   * Lists sessions, sorted by id. A session keeps its id for life.
   *
   * @param after the page starts after this id; null for the first page
   * @param limit max sessions on the page
   */
  async list(filter: SessionFilter, after: string | null, limit: number): Promise<SessionPage> {
    // One extra row shows whether there is another page.
    const question = { kind: 'list', filter, after, limit: limit + 1 } as const;
    const { answers, incomplete } = await this.#questions.ask(question);
    const rows = answers.flatMap((answer) => answer.rows).sort(compareIds);
    const sessions = rows.slice(0, limit);
    const next = rows.length > limit ? (sessions.at(-1)?.id ?? null) : null;
    return { total: countOf(answers), sessions, next, incomplete };
  }

  close(id: string, code: number, reason: string): Promise<Closed> {
    return this.#closing(this.#questions.ask({ kind: 'close', id, code, reason }));
  }

  /** Closes all sessions that match a filter. For a very large number, a worker may take some seconds. */
  closeAll(filter: SessionFilter, code: number, reason: string): Promise<Closed> {
    return this.#closing(this.#questions.ask({ kind: 'close_all', filter, code, reason }));
  }

  /** Extends a session. The time is added to the session's end, or to now if that end has passed. */
  async extend(id: string, byMs: number): Promise<Extended> {
    const { answers, incomplete } = await this.#questions.ask({ kind: 'extend', id, byMs });
    const found = answers.find(({ count }) => count > 0);
    return { found: found !== undefined, at: found?.at ?? null, incomplete };
  }

  async #closing(pending: Promise<Answers>): Promise<Closed> {
    const { answers, incomplete } = await pending;
    const closed = countOf(answers);
    this.kicked += closed;
    return { closed, incomplete };
  }
}

/** Sums the counts of the workers' answers. */
export function countOf(answers: readonly SessionAnswer[]): number {
  return answers.reduce((sum, { count }) => sum + count, 0);
}

/** Orders by the worker's run, then by the session's number in it. */
function compareIds({ id: one }: SessionRow, { id: other }: SessionRow): number {
  const [run, number] = partsOf(one);
  const [otherRun, otherNumber] = partsOf(other);
  if (run !== otherRun) return run < otherRun ? -1 : 1;
  return number - otherNumber;
}

function partsOf(id: string): readonly [run: string, number: number] {
  const hyphen = id.lastIndexOf('-');
  return [id.slice(0, hyphen), Number(id.slice(hyphen + 1))];
}
