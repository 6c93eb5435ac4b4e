import { PasswordMemory } from '../../../access/credentials/basic/password-memory.ts';
import { FairQueue } from '../../../core/collections/fair-queue.ts';
import { BurstLimit } from '../../../core/timing/burst-limit.ts';
import type { AccessCommand, PasswordDroppedReport, PasswordReport } from '../../../protocol/access.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { PASSWORD_RESULTS } from '../../../telemetry/metrics/label-values.ts';
import type { PasswordThread } from './password-thread.ts';

/** Max passwords in the queue. */
const MAX_WAITING = 64;
/** Max passwords in the queue per client, or per IPv6 network. */
const MAX_WAITING_PER_CLIENT = 8;
/** Rate limit of log lines about failures. */
const FAILURE_LINES = { burst: 5, everyMs: 60_000 };

type Reply = (command: AccessCommand) => void;
type PasswordResult = (typeof PASSWORD_RESULTS)[number];

/** A password and the requests that wait for its result. */
interface Job {
  readonly source: string;
  readonly digest: string;
  readonly hash: string;
  readonly password: string;
  readonly since: number;
  /** Numbers of the waiting reports, by the reply function of their worker's run. */
  readonly waiters: Map<Reply, Set<number>>;
  isWaiting: boolean;
}

/**
 * Verifies the passwords of all workers on one thread. Clients take turns in the queue. If the queue is full,
 * the client with the most entries loses one, so that guessing does not lock others out.
 */
export class Passwords {
  /** Number of passwords by result. */
  readonly results: Record<PasswordResult, number> = { match: 0, mismatch: 0, refused: 0, failed: 0 };
  /** Total time that passwords waited for the thread, in milliseconds. */
  waitedMs = 0;
  readonly #thread: Pick<PasswordThread, 'run' | 'close'>;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #memory: PasswordMemory;
  readonly #failureLines: BurstLimit;
  readonly #line = new FairQueue<Job>();
  readonly #waitingOf = new Map<string, number>();
  /** The jobs in the queue and the running one, by digest. */
  readonly #jobs = new Map<string, Job>();
  #isRunning = false;
  #isClosed = false;

  /** @param now milliseconds on a monotonic clock */
  constructor(
    thread: Pick<PasswordThread, 'run' | 'close'>,
    log: Logger,
    now: () => number = () => performance.now(),
  ) {
    this.#thread = thread;
    this.#log = log;
    this.#now = now;
    this.#memory = new PasswordMemory(now);
    this.#failureLines = new BurstLimit(now, FAILURE_LINES);
  }

  /** Number of passwords in the queue. */
  get waiting(): number {
    return this.#line.size;
  }

  /**
   * Answers a worker now or later. The answer is null if the queue rejects the password or the thread fails.
   */
  verify({ number, hash, password, client }: PasswordReport, reply: Reply): void {
    const digest = this.#memory.digestOf(hash, password);
    const known = this.#memory.recall(digest);
    if (known !== null) {
      reply({ type: 'password', number, matches: known });
      return;
    }
    const job = this.#jobs.get(digest) ?? this.#enqueue({ hash, password, digest, source: client });
    if (job === null) {
      this.results.refused++;
      reply({ type: 'password', number, matches: null });
      return;
    }
    const numbers = job.waiters.get(reply);
    if (numbers === undefined) job.waiters.set(reply, new Set([number]));
    else numbers.add(number);
    void this.#runNext();
  }

  /** Cancels a worker's request. Removes the password from the queue if nobody else waits for it. */
  drop({ number }: PasswordDroppedReport, reply: Reply): void {
    for (const job of this.#jobs.values()) {
      const numbers = job.waiters.get(reply);
      if (numbers?.delete(number) !== true) continue;
      if (numbers.size === 0) job.waiters.delete(reply);
      // A running job continues: its result is still worth remembering.
      if (job.waiters.size === 0 && job.isWaiting) this.#forget(job);
      return;
    }
  }

  /** Ends the thread. Passwords in the queue get no answer. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#thread.close();
  }

  /**
   * Returns null if the client's share of the queue is full, or the queue is full and no other client has
   * more entries.
   */
  #enqueue(facts: Pick<Job, 'hash' | 'password' | 'digest' | 'source'>): Job | null {
    if ((this.#waitingOf.get(facts.source) ?? 0) >= MAX_WAITING_PER_CLIENT) return null;
    if (this.#line.size >= MAX_WAITING) {
      const displaced = this.#line.evictFor(facts.source);
      if (displaced === null) return null;
      this.#forget(displaced);
      this.#answer(displaced, null);
      this.results.refused++;
    }
    const job: Job = { ...facts, since: this.#now(), waiters: new Map(), isWaiting: true };
    this.#line.push(job);
    this.#jobs.set(job.digest, job);
    this.#count(job.source, 1);
    return job;
  }

  async #runNext(): Promise<void> {
    if (this.#isRunning || this.#isClosed) return;
    const job = this.#line.shift();
    if (job === null) return;
    job.isWaiting = false;
    this.#count(job.source, -1);
    this.waitedMs += this.#now() - job.since;
    this.#isRunning = true;
    const matches = await this.#compare(job);
    this.#isRunning = false;
    this.#jobs.delete(job.digest);
    this.#answer(job, matches);
    void this.#runNext();
  }

  /** Compares a password with its hash. Returns null if the thread failed. */
  async #compare({ hash, password, digest }: Job): Promise<boolean | null> {
    try {
      const matches = await this.#thread.run({ hash, password });
      this.#memory.remember(digest, matches);
      this.results[matches ? 'match' : 'mismatch']++;
      return matches;
    } catch (error) {
      this.results.failed++;
      const lines = this.#isClosed ? 0 : this.#failureLines.take();
      if (lines > 0) this.#log.error({ err: error, failures: lines }, 'password could not be verified');
      return null;
    }
  }

  #answer({ waiters }: Job, matches: boolean | null): void {
    for (const [reply, numbers] of waiters) {
      for (const number of numbers) reply({ type: 'password', number, matches });
    }
  }

  /** Removes a job from the queue. */
  #forget(job: Job): void {
    this.#line.delete(job);
    this.#jobs.delete(job.digest);
    this.#count(job.source, -1);
  }

  #count(source: string, change: 1 | -1): void {
    const count = (this.#waitingOf.get(source) ?? 0) + change;
    if (count > 0) this.#waitingOf.set(source, count);
    else this.#waitingOf.delete(source);
  }
}
