import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Broadcast } from '../broadcast.ts';
import type { CurrentGeneration } from '../current-generation.ts';
import type { SlotFactory } from '../slot-factory.ts';
import type { WorkerPages } from '../worker-pages.ts';
import type { WorkerRoster } from '../worker-roster.ts';
import type { WorkerSlot } from '../worker-slot.ts';
import { LeftBehind } from './left-behind.ts';
import { ReplacementPolicy } from './replacement-policy.ts';
import { WorkerWatch } from './worker-watch.ts';

interface StuckParts {
  readonly roster: WorkerRoster;
  readonly pages: Pick<WorkerPages, 'abandon'>;
  readonly currentGeneration: Pick<CurrentGeneration, 'config'>;
  readonly broadcast: Pick<Broadcast, 'sendPages'>;
  readonly factory: Pick<SlotFactory, 'create'>;
  /** Starts a replacement. Resolves when it listens, or has failed once. Never rejects. */
  readonly start: (slot: WorkerSlot) => Promise<void>;
  readonly log: Logger;
}

/**
 * Detects workers whose threads do not turn, and abandons them. Other workers take their addresses and slots,
 * and nobody waits for them.
 */
export class StuckWorkers {
  readonly leftBehind: LeftBehind;
  readonly #parts: StuckParts;
  readonly #policy = new ReplacementPolicy();
  readonly #watch: WorkerWatch;
  /** Stuck workers that keep their slots, because too many threads are left behind. */
  readonly #unreplaced = new Set<WorkerSlot>();
  #replaces = true;

  constructor(parts: StuckParts) {
    const { roster, currentGeneration, log } = parts;
    this.#parts = parts;
    const leftBehind = (this.leftBehind = new LeftBehind(log));
    this.#watch = new WorkerWatch({
      slots: () => [...roster.everyone, ...leftBehind.slots],
      stuckAfterMs: () => currentGeneration.config.workers.stuckAfterMs,
      onStuck: (slot, silentMs) => this.add(slot, silentMs),
      onRecovered: (slot) => leftBehind.recover(slot),
    });
  }

  /** Starts to watch the workers. */
  start(): void {
    this.#watch.start();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** Stops replacing stuck workers, because all workers end. */
  stopReplacing(): void {
    this.#replaces = false;
  }

  isUnreplaced(slot: WorkerSlot): boolean {
    return this.#unreplaced.has(slot);
  }

  /** Forgets an unreplaced worker. Returns whether it was one. */
  forget(slot: WorkerSlot): boolean {
    return this.#unreplaced.delete(slot);
  }

  /** Why only a new process can restore full service; null if this process can recover. */
  get unrecoverable(): string | null {
    if (this.#unreplaced.size === 0 || !this.#replaces) return null;
    const names = Array.from(this.#unreplaced, ({ name }) => name).join(', ');
    return `too many stuck threads, not replaced: ${names}`;
  }

  /** Abandons a worker that has been silent for `silentMs`. */
  add(slot: WorkerSlot, silentMs: number): void {
    const { roster, pages, currentGeneration, broadcast, log } = this.#parts;
    const { drain } = currentGeneration.config;
    const { name, kind } = slot;
    const hasSiblings = roster.slots.some(
      (other) => other !== slot && other.kind === kind && other.state === 'up',
    );
    // A worker without siblings keeps its addresses for its replacement, even if it turns again soon.
    slot.abandon({ graceMs: drain.deadlineMs, pace: drain, successors: hasSiblings ? null : 'siblings' });
    roster.removeLeaving(slot);
    const settle = pages.abandon(slot.page);
    const leftBehind = this.leftBehind.count + 1;
    this.leftBehind.add(slot, {
      hasSiblings,
      replace: () => {
        log.error({ worker: name, silentMs: Math.round(silentMs), leftBehind }, 'worker is stuck');
        return this.replace(slot);
      },
      onEnded: () => {
        settle();
        for (const waiting of [...this.#unreplaced]) void this.replace(waiting);
      },
    });
    broadcast.sendPages();
  }

  /**
   * Gives the slot of a stuck worker to a replacement, unless too many threads are left behind.
   *
   * @returns settles when the replacement listens or fails; null if there is no replacement, or none soon
   */
  replace(slot: WorkerSlot): Promise<unknown> | null {
    const wasUnreplaced = this.#unreplaced.delete(slot);
    const { roster, currentGeneration, factory, start, log } = this.#parts;
    const { name } = slot;
    if (!roster.slots.includes(slot) || !this.#replaces) return null;
    if (roster.arriving?.name === name) return roster.arriving.listening;
    const count = this.leftBehind.countAgainst(slot);
    const delayMs = this.#policy.plan(name, performance.now(), count, currentGeneration.config.workers.l7);
    if (delayMs === null) {
      this.#unreplaced.add(slot);
      if (!wasUnreplaced)
        log.error({ worker: name, leftBehind: count }, 'too many stuck threads: restart the process');
      return null;
    }
    const fresh = factory.create(slot.kind, name, { restarts: slot.restarts + 1, retriesStart: true });
    roster.replace(slot, fresh);
    log.info({ worker: name, startInMs: delayMs }, 'replacing stuck worker');
    if (delayMs === 0) return start(fresh);
    void delay(delayMs, undefined, { ref: false }).then(() => start(fresh));
    return null;
  }
}
