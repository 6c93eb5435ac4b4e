import { randomBytes } from 'node:crypto';
import { messageOf } from '../../../core/errors.ts';
import type { Revocation } from '../../../protocol/access.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { isPrincipal } from '../revocations/revocation-codec.ts';
import type { RedisLink } from './redis-link.ts';

/** A change: revocations that are new or extended, and principals that are no longer revoked. */
interface Change {
  readonly changed: readonly Revocation[];
  readonly ended: readonly string[];
}

/** The revocations of this process. */
export interface LocalRevocations {
  readonly all: readonly Revocation[];
  /** Subscribes to changes made in this process. Returns a function that unsubscribes. */
  onChange(listener: (change: Change) => void): () => void;
  /** Applies the changes of other processes. */
  merge(change: Change): void;
}

/** A revocation in Redis. An undone revocation stays as an entry, so that no other machine restores it. */
interface Entry extends Revocation {
  readonly isEnded: boolean;
}

/** Interval between reads of all revocations. Messages can be lost. */
const READ_PERIOD_MS = 60_000;
/** How long Redis keeps the entry of an undone revocation. */
const KEEP_ENDED_MS = 86_400_000;
/** Max entries per command and message. Also the COUNT of HSCAN, which is approximate. */
const PAGE_ENTRIES = 500;
/** Max pages to read: more entries than a process keeps. */
const MAX_PAGES = 1000;
const MAX_MESSAGE_CHARACTERS = 4 * 1024 * 1024;

/**
 * Shares revocations with other machines. A Redis hash stores them, and a channel announces changes at once.
 */
export class SharedRevocations {
  readonly #key: string;
  readonly #link: Pick<RedisLink, 'send' | 'subscribe' | 'isUp'>;
  readonly #local: LocalRevocations;
  readonly #log: Logger;
  readonly #sender = randomBytes(8).toString('hex');
  readonly #timer: NodeJS.Timeout;
  readonly #forget: () => void;
  #isBusy = false;

  constructor(
    prefix: string,
    link: Pick<RedisLink, 'send' | 'subscribe' | 'isUp'>,
    local: LocalRevocations,
    log: Logger,
  ) {
    this.#key = `${prefix}:revocations`;
    this.#link = link;
    this.#local = local;
    this.#log = log;
    this.#forget = local.onChange((change) => this.#share(change));
    this.#timer = setInterval(() => this.#readAgain(), READ_PERIOD_MS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#forget();
  }

  /**
   * Subscribes, reads the entries of Redis, and writes those that it lacks. Called for each new connection.
   */
  read(): void {
    this.#attempt(async () => {
      await this.#link.subscribe(this.#key, (message) => this.#receive(message));
      await this.#exchange();
    });
  }

  #readAgain(): void {
    if (this.#link.isUp) this.#attempt(() => this.#exchange());
  }

  #share({ changed, ended }: Change): void {
    const now = Date.now();
    const entries = [
      ...changed.map((revocation) => ({ ...revocation, isEnded: false })),
      ...ended.map((principal) => ({ principal, at: now, until: now + KEEP_ENDED_MS, isEnded: true })),
    ];
    // Without Redis, the next connection writes all revocations in force.
    if (this.#link.isUp) this.#attempt(() => this.#write(entries));
  }

  #attempt(work: () => Promise<void>): void {
    work().catch((error: unknown) => {
      if (this.#link.isUp) this.#log.warn({ reason: messageOf(error) }, 'sharing revocations failed');
    });
  }

  async #exchange(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    try {
      const known = await this.#readAll();
      this.#merge([...known.values()]);
      const missing = this.#local.all.filter((revocation) =>
        isMissing(revocation, known.get(revocation.principal)),
      );
      await this.#write(missing.map((revocation) => ({ ...revocation, isEnded: false })));
    } finally {
      this.#isBusy = false;
    }
  }

  async #readAll(): Promise<Map<string, Entry>> {
    const entries = new Map<string, Entry>();
    const over: string[] = [];
    let cursor = '0';
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = (await this.#link.send(['HSCAN', this.#key, cursor, 'COUNT', String(PAGE_ENTRIES)])) as [
        string,
        string[],
      ];
      const fields = answer[1];
      for (let at = 0; at + 1 < fields.length; at += 2) {
        const entry = readEntry(parse(fields[at + 1]!));
        if (entry === null || entry.until <= Date.now()) over.push(fields[at]!);
        else entries.set(entry.principal, entry);
      }
      [cursor] = answer;
      if (cursor === '0') break;
    }
    if (over.length > 0) await this.#link.send(['HDEL', this.#key, ...over.slice(0, PAGE_ENTRIES)]);
    return entries;
  }

  async #write(entries: readonly Entry[]): Promise<void> {
    for (let at = 0; at < entries.length; at += PAGE_ENTRIES) {
      const page = entries.slice(at, at + PAGE_ENTRIES);
      const fields = page.flatMap((entry) => [entry.principal, JSON.stringify(entry)]);
      await this.#link.send(['HSET', this.#key, ...fields]);
      await this.#link.send(['PUBLISH', this.#key, JSON.stringify({ sender: this.#sender, entries: page })]);
    }
  }

  #receive(message: string): void {
    if (message.length > MAX_MESSAGE_CHARACTERS) return;
    const { sender, entries } = (parse(message) ?? {}) as { sender?: unknown; entries?: unknown };
    if (sender === this.#sender || !Array.isArray(entries)) return;
    this.#merge(entries.map(readEntry).filter((entry) => entry !== null));
  }

  #merge(entries: readonly Entry[]): void {
    const before = new Map(this.#local.all.map((revocation) => [revocation.principal, revocation]));
    const isNewer = ({ principal, at }: Entry): boolean => at >= (before.get(principal)?.at ?? -Infinity);
    this.#local.merge({
      changed: entries
        .filter((entry) => !entry.isEnded)
        .map(({ principal, at, until }) => ({ principal, at, until })),
      ended: entries
        .filter((entry) => entry.isEnded && before.has(entry.principal) && isNewer(entry))
        .map(({ principal }) => principal),
    });
  }
}

/** Whether the entry in Redis is missing, older or shorter than the revocation. */
function isMissing({ at, until }: Revocation, known: Entry | undefined): boolean {
  if (known === undefined || at > known.at) return true;
  return !known.isEnded && until > known.until;
}

/** Validates an entry: anyone who can write to Redis may have written it. Returns null if it is invalid. */
function readEntry(value: unknown): Entry | null {
  const { principal, at, until, isEnded } = (value ?? {}) as Partial<Record<keyof Entry, unknown>>;
  if (!isPrincipal(principal)) return null;
  if (!Number.isSafeInteger(at) || !Number.isSafeInteger(until)) return null;
  return { principal, at: at as number, until: until as number, isEnded: isEnded === true };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
