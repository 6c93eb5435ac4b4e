import type { Endpoint as EndpointConfig } from '../config/types.ts';
import { formatAddress, type Address } from '../core/address.ts';
import { CONNECT_FAILURES, pageMetrics } from '../telemetry/names.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';

export type ConnectFailure = (typeof CONNECT_FAILURES)[number];

/** One address of a cluster, as one worker sees it. */
export class Endpoint {
  readonly address: Address;
  readonly weight: number;
  /** The address as text: the label of metrics and logs. */
  readonly label: string;
  /** Value that belongs to the balancer: the current weight of smooth round robin. */
  balance = 0;
  readonly #own: Float64Array;
  readonly #all: readonly Float64Array[];
  readonly #activeSlot: number;
  readonly #failureSlots: Readonly<Record<ConnectFailure, number>>;

  /**
   * @param page where this worker counts
   * @param all the values of every worker's page, this one's included: connections are counted over all
   */
  constructor(cluster: string, config: EndpointConfig, page: StatsPage, all: readonly Float64Array[]) {
    this.address = config.address;
    this.weight = config.weight;
    this.label = formatAddress(config.address);
    this.#own = page.values;
    this.#all = all;
    const labels = { cluster, endpoint: this.label };
    this.#activeSlot = page.slot(pageMetrics.endpointConnectionsActive, labels);
    this.#failureSlots = Object.fromEntries(
      CONNECT_FAILURES.map((reason) => [
        reason,
        page.slot(pageMetrics.endpointConnectFailures, { ...labels, reason }),
      ]),
    ) as Record<ConnectFailure, number>;
  }

  /** Connections of all workers to this endpoint, those being dialled included. */
  get active(): number {
    let sum = 0;
    for (const values of this.#all) sum += values[this.#activeSlot]!;
    return sum;
  }

  /** Counts a connection from its dial on; every one is followed by one {@link release}. */
  acquire(): void {
    this.#own[this.#activeSlot]! += 1;
  }

  release(): void {
    this.#own[this.#activeSlot]! -= 1;
  }

  countFailure(reason: ConnectFailure): void {
    this.#own[this.#failureSlots[reason]]! += 1;
  }
}
