import { isDeepStrictEqual } from 'node:util';
import type { RedisSettings } from '../../../config/types/limits.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { RedisDial } from './redis-connection.ts';
import { RedisLink, type RedisCounts } from './redis-link.ts';
import { SharedLimits, type LimitEntry } from './shared-limits.ts';
import { SharedRevocations, type LocalRevocations } from './shared-revocations.ts';

interface RedisServicesParts {
  /** Returns the settings of the current configuration; null without Redis. */
  readonly settings: () => RedisSettings | null;
  /** Returns the limits of the current configuration. */
  readonly entries: () => readonly LimitEntry[];
  readonly revocations: LocalRevocations;
  readonly log: Logger;
  readonly dial?: RedisDial;
}

/** Everything that depends on one Redis server. */
interface Use {
  readonly settings: RedisSettings;
  readonly link: RedisLink;
  readonly limits: SharedLimits;
  readonly revocations: SharedRevocations;
}

/** Interval of the check for changed settings. */
const POLL_MS = 200;

/** The features that use Redis: shared limits and revocations. Follows reloads. */
export class RedisServices {
  readonly counts: RedisCounts = { errors: { connect: 0, lost: 0, timeout: 0, reply: 0 } };
  readonly #parts: RedisServicesParts;
  #use: Use | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: RedisServicesParts) {
    this.#parts = parts;
  }

  /** Connects if the configuration has Redis, and follows reloads. */
  start(): void {
    this.#follow();
    this.#timer = setInterval(() => this.#follow(), POLL_MS);
    this.#timer.unref();
  }

  /**
   * Ends everything. Resolves when other processes no longer count this process's connections, or Redis is
   * down.
   */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#end();
  }

  /** Values for metrics; null without Redis. */
  get state(): {
    readonly isUp: boolean;
    readonly isCounting: boolean;
    readonly roundSeconds: number;
  } | null {
    if (this.#use === null) return null;
    const { link, limits } = this.#use;
    return { isUp: link.isUp, isCounting: limits.isCounting, roundSeconds: limits.lastRoundSeconds };
  }

  #follow(): void {
    const settings = this.#parts.settings();
    if (isDeepStrictEqual(settings, this.#use?.settings ?? null)) return;
    void this.#end();
    if (settings !== null) this.#use = this.#begin(settings);
  }

  #begin(settings: RedisSettings): Use {
    const { entries, revocations: local, log, dial } = this.#parts;
    const link: RedisLink = new RedisLink({
      url: settings.url,
      owner: { up: () => revocations.read(), down: () => undefined },
      log,
      counts: this.counts,
      ...(dial !== undefined && { dial }),
    });
    const limits = new SharedLimits({ entries, settings, link, log });
    const revocations = new SharedRevocations(settings.prefix, link, local, log);
    link.start();
    return { settings, link, limits, revocations };
  }

  async #end(): Promise<void> {
    if (this.#use === null) return;
    const { link, limits, revocations } = this.#use;
    this.#use = null;
    revocations.stop();
    await limits.stop();
    link.stop();
  }
}
