import { messageOf } from '../../../core/errors.ts';
import { Backoff } from '../../../core/timing/backoff.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { dialRedis, type RedisConnection, type RedisDial } from './redis-connection.ts';

/**
 * Kind of Redis error, for metrics. `connect`: the connection attempt failed. `reply`: Redis sent an error
 * reply.
 */
type RedisErrorKind = 'connect' | 'lost' | 'timeout' | 'reply';

/** Receives the state of the connection to Redis. */
interface RedisLinkOwner {
  /** Called when a new connection works. */
  up(): void;
  /** Called when a working connection ends. Not called for failed attempts, nor by {@link RedisLink.stop}. */
  down(): void;
}

interface RedisLinkOptions {
  readonly url: string;
  readonly owner: RedisLinkOwner;
  readonly log: Logger;
  readonly counts: RedisCounts;
  readonly dial?: RedisDial;
}

/** Counters of the process, which outlive a link. */
export interface RedisCounts {
  readonly errors: Record<RedisErrorKind, number>;
}

/** Max time of an attempt: connecting, TLS and authentication. */
const ATTEMPT_TIMEOUT_MS = 2000;
/**
 * A server that takes longer to answer a command counts as down. A round trip to another continent takes 300
 * ms.
 */
const COMMAND_TIMEOUT_MS = 1000;
const RETRY = { firstMs: 100, maxMs: 2000 };
/** A connection that lasts this long ends a series of failures. */
const STABLE_MS = 5000;
/** Max log lines until Redis is up again. */
const MAX_LOGGED_REASONS = 8;

/** A connection to Redis that reconnects when lost. While Redis is down, commands fail at once. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #dial: RedisDial;
  readonly #server: string;
  readonly #backoff = new Backoff(RETRY);
  /** Aborts the current attempt or connection. */
  #session = new AbortController();
  #connection: RedisConnection | null = null;
  /** Reasons already logged since the last connection. */
  readonly #loggedReasons = new Set<string>();
  /** Starts the next attempt, or resets the backoff of a lasting connection. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#dial = options.dial ?? dialRedis;
    this.#server = serverOf(options.url);
  }

  get isUp(): boolean {
    return this.#connection !== null;
  }

  start(): void {
    void this.#connect();
  }

  /** Closes the connection for good. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#connection = null;
    this.#session.abort();
  }

  /**
   * Sends a command. Rejects on an error reply, or if Redis is down. A command without an answer after 1 s
   * ends the connection, because later answers queue behind it.
   */
  async send(args: readonly string[]): Promise<unknown> {
    const { counts } = this.#options;
    const connection = this.#open();
    try {
      return await this.#withTimeout(connection.send(args));
    } catch (error) {
      // NOSCRIPT is normal: the server has not cached the script yet.
      if (connection === this.#connection && !messageOf(error).startsWith('NOSCRIPT')) counts.errors.reply++;
      throw error;
    }
  }

  /** Subscribes to a channel until the current connection ends. Rejects like {@link send}. */
  async subscribe(channel: string, onMessage: (message: string) => void): Promise<void> {
    await this.#withTimeout(this.#open().subscribe(channel, onMessage));
  }

  #open(): RedisConnection {
    if (this.#connection === null) throw new Error('Redis is unreachable');
    return this.#connection;
  }

  async #connect(): Promise<void> {
    const session = new AbortController();
    const { signal } = session;
    const { url, owner, log } = this.#options;
    this.#session = session;
    try {
      const dialling = this.#dial({ url, signal, onEnd: (reason) => this.#end(session, 'lost', reason) });
      // The deadline holds whatever the server does.
      const connection = await withDeadline(dialling, ATTEMPT_TIMEOUT_MS);
      await withDeadline(connection.send(['PING']), COMMAND_TIMEOUT_MS);
      if (signal.aborted) return;
      this.#connection = connection;
    } catch (error) {
      this.#end(session, 'connect', messageOf(error));
      return;
    }
    this.#timer = setTimeout(() => this.#backoff.reset(), STABLE_MS);
    this.#timer.unref();
    log.info(
      { server: this.#server },
      this.#loggedReasons.size > 0 ? 'Redis is reachable again' : 'connected to Redis',
    );
    this.#loggedReasons.clear();
    owner.up();
  }

  /** Waits for an answer. A late answer rejects and ends the connection. */
  async #withTimeout<T>(answer: Promise<T>): Promise<T> {
    const session = this.#session;
    try {
      return await withDeadline(answer, COMMAND_TIMEOUT_MS);
    } catch (error) {
      if (error instanceof LateAnswer) this.#end(session, 'timeout', error.message);
      throw error;
    }
  }

  /** Ends an attempt or a connection, and schedules the next attempt. Idempotent. */
  #end(session: AbortController, kind: RedisErrorKind, reason: string): void {
    if (session.signal.aborted) return;
    const wasUp = this.#connection !== null;
    this.#connection = null;
    session.abort();
    clearTimeout(this.#timer);
    const { counts, owner } = this.#options;
    counts.errors[kind]++;
    this.#logReason(reason);
    this.#timer = setTimeout(() => void this.#connect(), this.#backoff.next());
    this.#timer.unref();
    if (wasUp) owner.down();
  }

  /** Logs each reason once. The first may be a busy moment, and the next an untrusted certificate. */
  #logReason(reason: string): void {
    const logged = this.#loggedReasons;
    if (logged.size === MAX_LOGGED_REASONS || logged.has(reason)) return;
    logged.add(reason);
    this.#options.log.warn({ server: this.#server, reason }, 'Redis is unreachable');
  }
}

class LateAnswer extends Error {
  override readonly name = 'LateAnswer';
}

/** Rejects with {@link LateAnswer} if a promise does not settle in time. */
async function withDeadline<T>(promise: Promise<T>, ms: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const expire = (): void => reject(new LateAnswer(`no answer within ${ms} ms`));
    // First read an answer that arrived while the thread was busy.
    timer = setTimeout(() => void setImmediate(expire), ms);
    timer.unref();
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Returns a server's address for the log, without the password. */
function serverOf(url: string): string {
  try {
    return new URL(url).host;
  } catch {
    return 'the URL in redis.url';
  }
}
