import type { AnswerReport, SessionAnswer, SessionQuestion } from '../../../protocol/access.ts';
import type { ToWorker } from '../../../protocol/to-worker.ts';
import type { WorkerSlot } from '../../workers/worker-slot.ts';

/** The workers' answers to a question. */
export interface Answers {
  readonly answers: readonly SessionAnswer[];
  /** Names of workers without an answer that may have sessions: they are stuck, or did not answer in time. */
  readonly incomplete: readonly string[];
}

type AskedWorker = Pick<WorkerSlot, 'name' | 'kind' | 'state'> & { send(message: ToWorker): void };

interface QuestionParts {
  /** Returns the workers that are not stuck, including draining ones. */
  readonly workers: () => readonly AskedWorker[];
  /** Returns the stuck workers that still have sessions. */
  readonly stuck: () => readonly Pick<WorkerSlot, 'name' | 'kind'>[];
  readonly maxMs?: number;
}

const MAX_ANSWER_MS = 2000;

/** Asks all workers about their sessions. A worker that does not answer in time is listed as incomplete. */
export class WorkerQuestions {
  readonly #parts: QuestionParts;
  /** By the number of the question. Each worker gets its own number. */
  readonly #waiting = new Map<number, (answer: SessionAnswer | null) => void>();
  #last = 0;

  constructor(parts: QuestionParts) {
    this.#parts = parts;
  }

  /** Resolves when all workers have answered, or after the timeout. */
  async ask(question: SessionQuestion): Promise<Answers> {
    const l7Workers = this.#parts.workers().filter(({ kind }) => kind === 'l7');
    const missing = new Set<string>();
    const answers = await Promise.all(
      l7Workers.map(async (worker) => {
        const answer = await this.#askOne(worker, question);
        if (answer === null && hasSessions(worker)) missing.add(worker.name);
        return answer;
      }),
    );
    for (const { kind, name } of this.#parts.stuck()) if (kind === 'l7') missing.add(name);
    return { answers: answers.filter((answer) => answer !== null), incomplete: [...missing].sort() };
  }

  receive({ number, answer }: AnswerReport): void {
    this.#waiting.get(number)?.(answer);
  }

  async #askOne(worker: AskedWorker, question: SessionQuestion): Promise<SessionAnswer | null> {
    const { state } = worker;
    if (state !== 'up' && state !== 'draining' && state !== 'starting') return null;
    const number = ++this.#last;
    worker.send({ type: 'ask', number, question });
    // The worker may already be listening. Otherwise it has no sessions and would answer late.
    if (state === 'starting') return null;
    const { promise, resolve } = Promise.withResolvers<SessionAnswer | null>();
    this.#waiting.set(number, resolve);
    const late = setTimeout(resolve, this.#parts.maxMs ?? MAX_ANSWER_MS, null);
    const answer = await promise;
    clearTimeout(late);
    this.#waiting.delete(number);
    return answer;
  }
}

/** Whether a worker that did not answer may have sessions. The sessions of a failed worker are gone. */
function hasSessions({ state }: AskedWorker): boolean {
  return state === 'up' || state === 'draining' || state === 'stuck';
}
