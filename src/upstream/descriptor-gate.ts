import type { DescriptorPlan } from '../core/descriptor-limit.ts';
import { LineLimit } from '../telemetry/line-limit.ts';

/** Where refusals are logged. */
interface GateLog {
  warn(details: object, message: string): void;
}

/**
 * Keeps one worker's clients and dials within the process's descriptors. Two rules, both over all workers:
 *
 * - At most `plan.clients` clients are served, so that each of them has a descriptor for its endpoint.
 * - Descriptor numbers stay below `plan.ceiling`. The kernel gives the lowest free number, so this holds without any
 *   count, and catches what is not counted: connections that linger after their end.
 *
 * The newest client is refused: open connections are never closed for it.
 */
export class DescriptorGate {
  /** Where the workers count the clients of each listener; changes with the configuration. */
  clientSlots: readonly number[] = [];
  readonly #plan: DescriptorPlan | null;
  readonly #pages: readonly Float64Array[];
  readonly #lowestFree: () => number;
  readonly #log: GateLog;
  readonly #lines: LineLimit;

  /**
   * @param plan null for no limit
   * @param pages the values of every worker's page
   * @param lowestFree asks the kernel for the lowest free descriptor number; Infinity for none
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
   * Whether a client that was accepted and is not counted yet may stay. Logs refusals at a limited rate.
   *
   * @param descriptor the client's; undefined if it is not known
   */
  admits(listener: string, descriptor?: number): boolean {
    const plan = this.#plan;
    if (plan === null) return true;
    // The lowest free number is at most one above that of the last connection.
    const number = descriptor ?? this.#lowestFree() - 1;
    if (number < plan.ceiling && this.#clients() < plan.clients) return true;
    const { limit, clients: maxClients } = plan;
    this.#refuse({ listener, limit, maxClients }, 'connection refused: descriptors are short');
    return false;
  }

  /** Whether a descriptor for an endpoint's connection is left, without the reserve. Logs refusals as {@link admits} does. */
  mayDial(): boolean {
    const plan = this.#plan;
    if (plan === null || this.#lowestFree() < plan.ceiling) return true;
    this.#refuse({ limit: plan.limit, ceiling: plan.ceiling }, 'dial refused: descriptors are short');
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
