import type { RevocationSettings } from '../../../config/types/limits.ts';
import { messageOf } from '../../../core/errors.ts';
import type { Revocation, RevocationsCommand, RevokedTokenReport } from '../../../protocol/access.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import { countOf } from '../sessions/session-service.ts';
import type { WorkerQuestions } from '../sessions/worker-questions.ts';
import { readRows } from './revocation-codec.ts';
import { RevocationFile, readRevocationFile } from './revocation-file.ts';
import { RevocationSet, type RevocationChange } from './revocation-set.ts';

/** Clock and disk. Tests inject fakes. */
interface Environment {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly read: typeof readRevocationFile;
  readonly open: (
    ...args: ConstructorParameters<typeof RevocationFile>
  ) => Pick<RevocationFile, 'path' | 'save' | 'close'>;
}

interface ServiceParts {
  readonly questions: Pick<WorkerQuestions, 'ask'>;
  /** Sends a command to all workers. */
  readonly send: (command: RevocationsCommand) => void;
  readonly log: Logger;
  readonly environment?: Partial<Environment>;
}

interface Revoked {
  readonly revocation: Revocation;
  readonly closed: number;
  /** Names of the workers that did not answer. They have received the revocation, or will. */
  readonly incomplete: readonly string[];
}

/**
 * Called after each change by a command or token of this process. Changes from other processes are omitted:
 * those processes know them.
 */
type ChangeListener = (change: RevocationChange) => void;

const EXPIRE_PERIOD_MS = 60_000;
/** Max time that a command, a takeover or the shutdown waits for the disk. */
const MAX_SAVE_MS = 1000;

/** Revokes principals in all workers. Revocations survive reloads, restarts and takeovers. */
export class RevocationService {
  /** Number of sessions closed by revocations. */
  closedSessions = 0;
  /** Number of failed writes of the file. */
  failedWrites = 0;
  readonly #parts: ServiceParts;
  readonly #environment: Environment;
  readonly #set = new RevocationSet();
  readonly #listeners = new Set<ChangeListener>();
  readonly #timer: NodeJS.Timeout;
  #settings: RevocationSettings;
  /** Resolves when the last change is written. */
  #written: Promise<void> = Promise.resolve();
  #file: ReturnType<Environment['open']> | null = null;

  /** @throws StartError if the configured file cannot be read */
  constructor(settings: RevocationSettings, parts: ServiceParts) {
    this.#parts = parts;
    this.#environment = {
      now: Date.now,
      read: readRevocationFile,
      open: (...args) => new RevocationFile(...args),
      ...parts.environment,
    };
    this.#settings = settings;
    if (settings.file !== null) {
      this.#set.put(this.#environment.read(settings.file), this.#environment.now());
      this.#file = this.#openFile(settings.file);
    }
    this.#timer = setInterval(() => this.expire(), EXPIRE_PERIOD_MS).unref();
  }

  get all(): readonly Revocation[] {
    return this.#set.all;
  }

  get size(): number {
    return this.#set.size;
  }

  /** Subscribes to changes that other machines must know. Returns a function that unsubscribes. */
  onChange(listener: ChangeListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Revokes a principal: refuses credentials issued before now, and ends its sessions. Resolves when the
   * workers have answered and the file is written.
   *
   * @param principal with its kind, or a bare name to match every kind
   */
  async revoke(principal: string): Promise<Revoked> {
    const at = this.#environment.now();
    const { keepMs } = this.#settings;
    this.#publishOwn(this.#set.put([{ principal, at, until: at + keepMs }], at));
    const { closed, latest, incomplete } = await this.#endSessions([principal]);
    if (latest !== null) this.#extend(principal, latest);
    await withinTime(this.#written);
    const revocation = this.#set.get(principal) ?? { principal, at, until: at + keepMs };
    return { revocation, closed, incomplete };
  }

  /** Undoes a revocation. Resolves with false if the principal was not revoked. */
  async undo(principal: string): Promise<boolean> {
    const change = this.#publish(this.#set.remove([principal]));
    this.#notifyListeners(change);
    await withinTime(this.#written);
    return change.ended.length > 0;
  }

  /** Applies changes of another process or machine. Ends the sessions of principals with new revocations. */
  merge({ changed = [], ended = [] }: Partial<RevocationChange>): void {
    this.#publish(this.#set.remove(ended));
    const before = new Map(changed.map(({ principal }) => [principal, this.#set.get(principal)?.at]));
    const change = this.#publish(this.#set.put(changed, this.#environment.now()));
    const later = change.changed.filter(({ principal, at }) => before.get(principal) !== at);
    if (later.length > 0) void this.#endSessions(later.map(({ principal }) => principal));
  }

  /** Applies the revocations that the previous process sent. Older versions send none. */
  inherit(rows: unknown): void {
    if (rows === undefined || rows === null) return;
    try {
      this.merge({ changed: readRows(rows) });
    } catch (error) {
      this.#parts.log.warn({ reason: messageOf(error) }, 'revocations not taken over');
    }
  }

  /** Extends a revocation until a token that a client showed has expired. */
  receive({ principal, neededUntil }: RevokedTokenReport): void {
    this.#extend(principal, neededUntil);
  }

  /**
   * Prepares other settings. Reads a new file now, and applies its revocations with the settings.
   *
   * @returns a function that applies the settings
   * @throws StartError if the new file cannot be read
   */
  prepare(settings: RevocationSettings): () => void {
    const { file: path } = settings;
    const read = path === null || path === this.#file?.path ? null : this.#environment.read(path);
    return () => {
      this.#settings = settings;
      if (path === (this.#file?.path ?? null)) return;
      void this.#file?.close();
      this.#file = path === null ? null : this.#openFile(path);
      this.merge({ changed: read ?? [] });
      // The new file lacks some revocations.
      if (this.#set.size > (read?.length ?? 0)) void this.#file?.save();
    };
  }

  /** Drops expired revocations. */
  expire(): void {
    this.#publish(this.#set.expire(this.#environment.now()));
  }

  /** Leaves the file to another process, or to the next start. Resolves when the file is written. */
  async release(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    if (file !== null) await withinTime(file.close());
  }

  /** Stops the timer, and releases the file. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.release();
  }

  #openFile(path: string): ReturnType<Environment['open']> {
    const onFailure = (): void => {
      this.failedWrites++;
    };
    return this.#environment.open(path, () => this.#set.all, this.#parts.log, onFailure);
  }

  #extend(principal: string, until: number): void {
    const known = this.#set.get(principal);
    if (known === undefined || until <= known.until) return;
    this.#publishOwn(this.#set.put([{ ...known, until }], this.#environment.now()));
  }

  /**
   * Ends the sessions of revoked principals. `latest` is when the last of their credentials expires; null if
   * none expires.
   */
  async #endSessions(
    principals: readonly string[],
  ): Promise<{ closed: number; latest: number | null; incomplete: readonly string[] }> {
    const { answers, incomplete } = await this.#parts.questions.ask({ kind: 'revoke', principals });
    const closed = countOf(answers);
    this.closedSessions += closed;
    const expiries = answers.map(({ at }) => at).filter((at) => at !== null);
    return { closed, latest: expiries.length === 0 ? null : Math.max(...expiries), incomplete };
  }

  /**
   * Publishes a revocation of this process. Listeners do not see evicted revocations: other machines may keep
   * them.
   */
  #publishOwn(change: RevocationChange): void {
    this.#publish(change);
    this.#notifyListeners({ ...change, ended: [] });
  }

  /** Sends a change to the workers and saves it. */
  #publish(change: RevocationChange): RevocationChange {
    const { changed, ended } = change;
    if (changed.length === 0 && ended.length === 0) return change;
    this.#warnOfExcess();
    this.#parts.send({ type: 'revocations', changed, ended });
    if (this.#file !== null) this.#written = this.#file.save();
    return change;
  }

  #notifyListeners(change: RevocationChange): void {
    if (change.changed.length === 0 && change.ended.length === 0) return;
    for (const listener of this.#listeners) listener(change);
  }

  #warnOfExcess(): void {
    const { evicted } = this.#set;
    if (evicted === 0) return;
    this.#set.evicted = 0;
    this.#parts.log.warn({ givenUp: evicted }, 'too many revocations: evicted those that expire first');
  }
}

/** Resolves when the write ends, or after {@link MAX_SAVE_MS}. */
async function withinTime(written: Promise<void>): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(resolve, MAX_SAVE_MS, undefined);
  await Promise.race([written, late]);
  clearTimeout(timer);
}
