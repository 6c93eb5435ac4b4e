import type { Listener, TicketSettings } from '../../config/types/listener.ts';
import { ListenerKeys, type RotatedKeys } from './listener-keys.ts';

/** Keys that another process created, by listener. */
export type HandoverKeys = ReadonlyMap<string, RotatedKeys>;

/** A monotonic clock in milliseconds, and its timers. Tests inject fakes. */
interface Clock {
  readonly now: () => number;
  /** Calls back once. Returns a function that cancels the call. */
  readonly delay: (run: () => void, ms: number) => () => void;
}

interface TicketKeyOptions {
  readonly inherited?: HandoverKeys;
  readonly clock?: Clock;
}

/** A prepared change to another configuration's listeners. */
interface TicketKeyPlan {
  /** Memory of each listener's `TicketKeyRing`. Stays the same while the listener has TLS. */
  readonly memories: ReadonlyMap<string, SharedArrayBuffer>;
  /** Applies the listeners' settings. */
  readonly commit: () => void;
}

/** Node fires a longer timer at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const CLOCK: Clock = {
  now: () => performance.now(),
  delay: (run, ms) => {
    const timer = setTimeout(run, ms).unref();
    return () => clearTimeout(timer);
  },
};

/**
 * The session ticket keys of all listeners with TLS. All workers share them. Each listener has its own keys,
 * because it has its own settings. Keys survive reloads and restarts of workers.
 */
export class TicketKeys {
  readonly #clock: Clock;
  #byListener: ReadonlyMap<string, ListenerKeys> = new Map();
  #cancel: () => void = () => undefined;

  constructor(
    listeners: readonly Listener[],
    { inherited = new Map(), clock = CLOCK }: TicketKeyOptions = {},
  ) {
    this.#clock = clock;
    this.#prepare(listeners, inherited).commit();
  }

  /** Memory of the current configuration's key rings, by listener. */
  get memories(): ReadonlyMap<string, SharedArrayBuffer> {
    return memoriesOf(this.#byListener);
  }

  /** Prepares the listeners of another configuration. Nothing changes before the plan's commit. */
  plan(listeners: readonly Listener[]): TicketKeyPlan {
    return this.#prepare(listeners, new Map());
  }

  /** Returns how long the first key of each listener has encrypted tickets, in seconds. */
  ages(): { readonly listener: string; readonly seconds: number }[] {
    const now = this.#clock.now();
    return Array.from(this.#byListener, ([listener, keys]) => ({ listener, seconds: keys.age(now) / 1000 }));
  }

  /** Returns the keys for a process that takes over, except those from files. */
  handoverKeys(): HandoverKeys {
    const now = this.#clock.now();
    const handover = new Map<string, RotatedKeys>();
    for (const [listener, keys] of this.#byListener) {
      const rotated = keys.rotated(now);
      if (rotated !== null) handover.set(listener, rotated);
    }
    return handover;
  }

  #prepare(listeners: readonly Listener[], inherited: HandoverKeys): TicketKeyPlan {
    const next = new Map<string, ListenerKeys>();
    const changes: (() => void)[] = [];
    for (const listener of listeners) {
      const settings = ticketSettingsOf(listener);
      if (settings === null) continue;
      const { name } = listener;
      const now = this.#clock.now();
      const known = this.#byListener.get(name);
      next.set(name, known ?? new ListenerKeys(settings, now, inherited.get(name) ?? null));
      if (known !== undefined) changes.push(() => known.change(settings, this.#clock.now()));
    }
    const commit = (): void => {
      this.#byListener = next;
      for (const change of changes) change();
      this.#rotate();
    };
    return { memories: memoriesOf(next), commit };
  }

  /** Replaces the keys that are due, and schedules the next rotation. */
  #rotate(): void {
    this.#cancel();
    const now = this.#clock.now();
    let dueAt = Infinity;
    for (const keys of this.#byListener.values()) {
      keys.rotate(now);
      dueAt = Math.min(dueAt, keys.dueAt);
    }
    if (dueAt === Infinity) return;
    this.#cancel = this.#clock.delay(() => this.#rotate(), Math.min(Math.ceil(dueAt - now), MAX_TIMER_MS));
  }
}

/**
 * Returns the ticket settings of a listener. Null without TLS, and for uWebSockets.js, which has its own
 * keys.
 */
export function ticketSettingsOf(listener: Listener): TicketSettings | null {
  if (listener.mode === 'l4' || listener.engine === 'uws') return null;
  return listener.tls?.tickets ?? null;
}

function memoriesOf(byListener: ReadonlyMap<string, ListenerKeys>): ReadonlyMap<string, SharedArrayBuffer> {
  return new Map(Array.from(byListener, ([name, { memory }]) => [name, memory]));
}
