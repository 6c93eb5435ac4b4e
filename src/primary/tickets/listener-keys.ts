import { randomBytes } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { TicketSettings } from '../../config/types/listener.ts';
import { TICKET_KEY_BYTES, TicketKeyRing, allocateTicketKeys } from '../../core/ticket-key-ring.ts';

/** Keys that rotate: the current key, which encrypts, and the previous key. */
export interface RotatedKeys {
  readonly keys: readonly Buffer[];
  /** Milliseconds since the first key began to encrypt. */
  readonly ageMs: number;
}

/** Max keys during rotation: tickets of the previous interval still resume. */
export const MAX_ROTATED_KEYS = 2;

/** The ticket keys of one listener. Times are milliseconds on a monotonic clock. */
export class ListenerKeys {
  /** Memory of the `TicketKeyRing` for the workers. */
  readonly memory = allocateTicketKeys();
  readonly #ring = new TicketKeyRing(this.memory);
  #settings: TicketSettings;
  /** When the first key began to encrypt. */
  #since = 0;

  /** @param inherited initial keys from another process, used only if the settings rotate keys */
  constructor(settings: TicketSettings, now: number, inherited: RotatedKeys | null = null) {
    this.#settings = settings;
    if (settings.kind === 'file') this.#use(keysOf(settings), now);
    else if (inherited === null) this.#use([newKey()], now);
    else this.#use(inherited.keys.slice(0, MAX_ROTATED_KEYS), now - inherited.ageMs);
  }

  /** When {@link rotate} is due; Infinity for keys from a file. */
  get dueAt(): number {
    return this.#settings.kind === 'rotate' ? this.#since + this.#settings.rotateMs : Infinity;
  }

  /** Returns the milliseconds since the first key began to encrypt. */
  age(now: number): number {
    return now - this.#since;
  }

  /**
   * Returns the keys for a process that takes over. Null for keys from a file, which that process reads
   * itself.
   */
  rotated(now: number): RotatedKeys | null {
    return this.#settings.kind === 'rotate' ? { keys: this.#ring.keys, ageMs: this.age(now) } : null;
  }

  /** Changes the settings. Keys stay unless their kind or file changes. */
  change(settings: TicketSettings, now: number): void {
    const { kind } = this.#settings;
    this.#settings = settings;
    if (settings.kind === 'rotate') {
      // Keys from a file may be known to others, which may be the reason for the change.
      if (kind === 'file') this.#use([newKey()], now);
      return;
    }
    const keys = keysOf(settings);
    if (isDeepStrictEqual(keys, this.#ring.keys)) return;
    const isSameFirst = keys[0]!.equals(this.#ring.keys[0]!);
    this.#use(keys, isSameFirst ? this.#since : now);
  }

  /**
   * Replaces the first key if it is due. The old key still decrypts, unless the rotation is late by an
   * interval.
   */
  rotate(now: number): void {
    if (this.#settings.kind !== 'rotate' || now < this.dueAt) return;
    const isExpired = now >= this.dueAt + this.#settings.rotateMs;
    this.#use(isExpired ? [newKey()] : [newKey(), this.#ring.keys[0]!], now);
  }

  #use(keys: readonly Buffer[], since: number): void {
    this.#ring.replace(keys);
    this.#since = since;
  }
}

function keysOf({ keys }: Extract<TicketSettings, { kind: 'file' }>): Buffer[] {
  return keys.map((key) => Buffer.from(key, 'base64'));
}

function newKey(): Buffer {
  return randomBytes(TICKET_KEY_BYTES);
}
