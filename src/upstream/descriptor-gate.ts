import type { DescriptorPlan } from '../core/descriptor-limit.ts';
import { LineLimit } from '../telemetry/line-limit.ts';

/** Logs refusals. */
interface GateLog {
  warn(details: object, message: string): void;
}

/**
 * Keeps the clients and dials of one worker within the process's descriptor limit. Two rules hold over all
 * workers:
 *
 * - At most `plan.clients` clients are served, so that each has a descriptor for its endpoint.
 * - Descriptor numbers stay below `plan.ceiling`. The kernel assigns the lowest free number. So this rule
 *   needs no count and covers uncounted descriptors, such as connections that linger after they end.
 *
 * The newest client is refused. Open connections are never closed to make room.
 */
export class DescriptorGate {
  /** Slots that count the clients of each listener. Change on a reload. */
  clientSlots: readonly number[] = [];
  readonly #plan: DescriptorPlan | null;
  readonly #pages: readonly Float64Array[];
  readonly #lowestFree: () => number;
  readonly #log: GateLog;
  readonly #lines: LineLimit;

  /**
   * @param plan null for no limit
   * @param pages values of every worker's page
   * @param lowestFree asks the kernel for the lowest free descriptor number; returns Infinity if none is free
   */
  constructor(
    plan: DescriptorPlan | null,
    pages: readonly Float64Array[],
    lowestFree: () => number,
    log: GateLog,
    lines = new LineLimit(),
  ) {
    this.#plan = plan;
    this.#pages = pages;
    this.#lowestFree = lowestFree;
    this.#log = log;
    this.#lines = lines;
  }

  /**
   * Returns whether a newly accepted client may stay. Call it before counting the client. Logs refusals at a
   * limited rate.
   *
   * @param descriptor the client's; undefined if unknown
   */
  admits(listener: string, descriptor?: number): boolean {
    const plan = this.#plan;
    if (plan === null) return true;
    // The lowest free number is at most one above the number of the newest connection.
    const number = descriptor ?? this.#lowestFree() - 1;
    if (number < plan.ceiling && this.#clients() < plan.clients) return true;
    const { limit, clients: maxClients } = plan;
    this.#refuse({ listener, limit, maxClients }, 'connection refused: out of file descriptors');
    return false;
  }

  /** Returns whether a descriptor below the reserve is free for a dial. Logs refusals like {@link admits}. */
  mayDial(): boolean {
    const plan = this.#plan;
    if (plan === null || this.#lowestFree() < plan.ceiling) return true;
    this.#refuse({ limit: plan.limit, ceiling: plan.ceiling }, 'dial refused: out of file descriptors');
    return false;
  }

  #refuse(details: object, message: string): void {
    const line = this.#lines.take();
    if (line !== null) this.#log.warn({ ...details, ...line }, message);
  }

  #clients(): number {
    let sum = 0;
    for (const values of this.#pages) for (const slot of this.clientSlots) sum += values[slot]!;
    return sum;
  }
}
