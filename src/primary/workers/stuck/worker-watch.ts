import type { Pulse } from '../../../protocol/pulse.ts';
import type { WorkerSlot } from '../worker-slot.ts';
import { SilenceMeter } from './silence-meter.ts';

/** Sampling period of the pulses. Workers beat ten times a second. */
const POLL_MS = 250;

/** Starting workers are not judged: they have their own deadline. */
const JUDGED: ReadonlySet<WorkerSlot['state']> = new Set(['up', 'draining', 'stuck']);

type WatchedSlot = Pick<WorkerSlot, 'state' | 'pulse'>;

interface WatchOptions<S extends WatchedSlot> {
  /** Returns the workers that have threads, including those left behind. */
  readonly slots: () => readonly S[];
  /** Returns the max silence before a worker counts as stuck, in milliseconds; 0 for no limit. */
  readonly stuckAfterMs: () => number;
  /** Called once for each stuck worker. */
  readonly onStuck: (slot: S, silentMs: number) => void;
  /** Called once for each stuck worker that beats again. */
  readonly onRecovered: (slot: S) => void;
}

/** Samples the workers' pulses, and reports stuck workers. */
export class WorkerWatch<S extends WatchedSlot = WorkerSlot> {
  readonly #options: WatchOptions<S>;
  readonly #meter = new SilenceMeter<Pulse>(POLL_MS);
  /** Pulses of stuck workers that have been silent since they were reported. */
  readonly #silent = new WeakSet<Pulse>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: WatchOptions<S>) {
    this.#options = options;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.poll(performance.now()), POLL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** @param now milliseconds on a monotonic clock */
  poll(now: number): void {
    const { slots, stuckAfterMs, onStuck, onRecovered } = this.#options;
    const watched: { slot: S; pulse: Pulse }[] = [];
    for (const slot of slots()) {
      if (slot.pulse !== null && JUDGED.has(slot.state)) watched.push({ slot, pulse: slot.pulse });
    }
    const silences = this.#meter.sample(now, new Map(watched.map(({ pulse }) => [pulse, pulse.beats])));
    const maxSilenceMs = stuckAfterMs();
    for (const { slot, pulse } of watched) {
      const silentMs = silences.get(pulse) ?? 0;
      if (slot.state === 'stuck') {
        if (silentMs === 0 && this.#silent.delete(pulse)) onRecovered(slot);
      } else if (maxSilenceMs > 0 && silentMs >= maxSilenceMs) {
        this.#silent.add(pulse);
        onStuck(slot, silentMs);
      }
    }
  }
}
