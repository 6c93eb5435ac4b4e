import type { Listener, TicketSettings } from '../../config/types/listener.ts';
import { ListenerKeys, type RotatedKeys } from './listener-keys.ts';

/** Keys that another process has made, by listener. */
export type TicketInheritance = ReadonlyMap<string, RotatedKeys>;

/** A monotonic clock in milliseconds, and its timers; a test brings its own. */
interface Clock {
  readonly now: () => number;
  /** Calls back once; the returned function cancels that. */
  readonly delay: (run: () => void, ms: number) => () => void;
}

interface TicketKeyOptions {
  readonly inherited?: TicketInheritance;
  readonly clock?: Clock;
}

/** A prepared change to the listeners of another configuration. */
interface TicketKeyPlan {
  /** By listener: memory of its `TicketKeyRing`, the same as long as the listener has TLS. */
  readonly memories: ReadonlyMap<string, SharedArrayBuffer>;
  /** Brings the listeners' settings into force. */
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
 * The keys of session tickets of all listeners with TLS, which all workers share. Each listener has keys of its own, because
 * each has settings of its own; they outlive reloads and restarts of workers.
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

  /** Memory of the rings of the configuration in use, by listener. */
  get memories(): ReadonlyMap<string, SharedArrayBuffer> {
    return memoriesOf(this.#byListener);
  }

  /** Prepares the listeners of another configuration. Nothing changes without the plan's commit. */
  plan(listeners: readonly Listener[]): TicketKeyPlan {
    return this.#prepare(listeners, new Map());
  }

  /** Returns for how many seconds the first key of each listener has encrypted tickets. */
  ages(): { readonly listener: string; readonly seconds: number }[] {
    const now = this.#clock.now();
    return Array.from(this.#byListener, ([listener, keys]) => ({ listener, seconds: keys.age(now) / 1000 }));
  }

  /** Returns the keys for a process that takes over; those of files are left out. */
  bequest(): TicketInheritance {
    const now = this.#clock.now();
    const bequest = new Map<string, RotatedKeys>();
    for (const [listener, keys] of this.#byListener) {
      const rotated = keys.rotated(now);
      if (rotated !== null) bequest.set(listener, rotated);
    }
    return bequest;
  }

  #prepare(listeners: readonly Listener[], inherited: TicketInheritance): TicketKeyPlan {
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

  /** Replaces the keys that are due, and comes again when the next ones are. */
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

/** Returns the settings of a listener's tickets; null without TLS, and for uWebSockets.js, whose keys are its own. */
export function ticketSettingsOf(listener: Listener): TicketSettings | null {
  if (listener.mode === 'l4' || listener.engine === 'uws') return null;
  return listener.tls?.tickets ?? null;
}

function memoriesOf(byListener: ReadonlyMap<string, ListenerKeys>): ReadonlyMap<string, SharedArrayBuffer> {
  return new Map(Array.from(byListener, ([name, { memory }]) => [name, memory]));
}
