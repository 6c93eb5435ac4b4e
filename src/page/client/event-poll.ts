import type { EventPage } from '../../protocol/admin/events.ts';
import type { RecentEvents } from '../model/recent-events.ts';
import type { Clock } from './clock.ts';
import type { ApiAnswer, Operator } from './operator.ts';

const PERIOD_MS = 1000;
/** Interval after a failure: the proxy may be busy or down. */
const FAILED_PERIOD_MS = 5000;
/** Interval if the proxy has no `/events`, which will not change soon. */
const MISSING_PERIOD_MS = 60_000;

interface PollOptions {
  readonly operator: Pick<Operator, 'hasToken' | 'send'>;
  readonly recentEvents: RecentEvents;
  readonly clock: Clock;
  /** Called after each answer. @param problem why there are no new events; null if there is no problem */
  readonly onAnswer: (problem: string | null) => void;
}

/** Requests new events once a second while it runs and the page has a token. One request at a time. */
export class EventPoll {
  readonly #options: PollOptions;
  #isRunning = false;
  #isAsking = false;
  #cancel: () => void = () => undefined;

  constructor(options: PollOptions) {
    this.#options = options;
  }

  /** Starts polling. Ends the current wait, if any. */
  start(): void {
    this.#isRunning = true;
    this.#cancel();
    if (!this.#isAsking && this.#options.operator.hasToken) void this.#ask();
  }

  stop(): void {
    this.#isRunning = false;
    this.#cancel();
  }

  async #ask(): Promise<void> {
    const { operator, recentEvents, clock, onAnswer } = this.#options;
    this.#isAsking = true;
    const answer = await operator.send('GET', `/events?after=${recentEvents.last}&limit=200`);
    this.#isAsking = false;
    // Rows that arrive after the token was forgotten must not be shown.
    if (!operator.hasToken) return;
    const page = pageOf(answer);
    if (page !== null) recentEvents.add(page);
    onAnswer(page === null ? answer.message : null);
    if (!this.#isRunning) return;
    this.#cancel = clock.after(periodAfter(answer, page), () => this.start());
  }
}

function periodAfter({ status }: ApiAnswer, page: EventPage | null): number {
  if (page !== null) return PERIOD_MS;
  return status === 404 ? MISSING_PERIOD_MS : FAILED_PERIOD_MS;
}

function pageOf({ status, body }: ApiAnswer): EventPage | null {
  const { events, last, suppressed } = body as Partial<EventPage>;
  if (status !== 200 || !Array.isArray(events) || typeof last !== 'number') return null;
  return { events, last, suppressed: suppressed ?? 0 };
}
