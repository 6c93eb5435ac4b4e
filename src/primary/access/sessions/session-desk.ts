import type { SessionAnswer, SessionFilter, SessionRow } from '../../../protocol/access.ts';
import type { Answers, WorkerQuestions } from './worker-questions.ts';

/** The workers that have not answered, by their names. Their sessions are missing in the result. */
type Incomplete = Pick<Answers, 'incomplete'>;

interface SessionPage extends Incomplete {
  /** Sessions of all pages. */
  readonly total: number;
  readonly sessions: readonly SessionRow[];
  /** The id behind which the next page begins; null for the last page. */
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
export class SessionDesk {
  /** Sessions closed by operators, other than by revocations. */
  kicked = 0;
  readonly #questions: Pick<WorkerQuestions, 'ask'>;

  constructor(questions: Pick<WorkerQuestions, 'ask'>) {
    this.#questions = questions;
  }

  /**
   * Lists sessions in the order of their ids, which a session keeps for its life.
   *
   * @param after the id behind which the page begins; null for the first page
   * @param limit max sessions of the page
   */
  async list(filter: SessionFilter, after: string | null, limit: number): Promise<SessionPage> {
    // One more than the page tells whether there is another page.
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

  /** Closes all sessions that fit a filter. Very many may take a worker some seconds. */
  closeAll(filter: SessionFilter, code: number, reason: string): Promise<Closed> {
    return this.#closing(this.#questions.ask({ kind: 'close_all', filter, code, reason }));
  }

  /**
   * Puts off the end of a session. The time counts from the old end, or from now if the old end has passed.
   */
  async extend(id: string, byMs: number): Promise<Extended> {
    const { answers, incomplete } = await this.#questions.ask({ kind: 'extend', id, byMs });
    const found = answers.find(({ count }) => count > 0);
    return { found: found !== undefined, at: found?.at ?? null, incomplete };
  }

  async #closing(asked: Promise<Answers>): Promise<Closed> {
    const { answers, incomplete } = await asked;
    const closed = countOf(answers);
    this.kicked += closed;
    return { closed, incomplete };
  }
}

/** Sums what the workers have found. */
export function countOf(answers: readonly SessionAnswer[]): number {
  return answers.reduce((sum, { count }) => sum + count, 0);
}

/** Orders by the run of the worker, then by the session's number in it. */
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
