/** Rates per second, from the difference of two frames. */
import type { LiveCounters, LiveFrame } from '../../protocol/admin/live.ts';

type Cluster = LiveFrame['clusters'][number];
type Endpoint = Cluster['endpoints'][number];
type LiveError = LiveFrame['errors'][number];

/** Rates per second. Null without two comparable frames. */
interface Rates {
  readonly connections: number | null;
  readonly tunnels: number | null;
  readonly handshakes: number | null;
  readonly messages: number | null;
  readonly bytes: number | null;
  readonly requests: number | null;
  readonly errors: number | null;
}

/** The state of the proxy to show: a frame compared with its predecessor. */
export class LiveModel {
  readonly frame: LiveFrame;
  readonly rates: Rates;
  /** Whether a different process sent the previous frame. */
  readonly restarted: boolean;
  readonly #before: LiveFrame | null;
  readonly #seconds: number;
  readonly #clusters: ReadonlyMap<string, Cluster>;
  readonly #endpoints: ReadonlyMap<string, Endpoint>;
  readonly #errors: ReadonlyMap<string, number>;

  /** @param previous the frame before this one; null if this is the first */
  constructor(frame: LiveFrame, previous: LiveFrame | null) {
    this.frame = frame;
    this.restarted =
      previous !== null && (previous.pid !== frame.pid || frame.uptimeSeconds < previous.uptimeSeconds);
    const seconds = previous === null ? 0 : (frame.at - previous.at) / 1000;
    // The wall clock may have been set back.
    const comparable = previous !== null && !this.restarted && seconds > 0;
    this.#before = comparable ? previous : null;
    this.#seconds = seconds;
    const clusters = this.#before?.clusters ?? [];
    this.#clusters = new Map(clusters.map((cluster) => [cluster.name, cluster]));
    this.#endpoints = new Map(
      clusters.flatMap(({ name, endpoints }) =>
        endpoints.map((endpoint) => [endpointKey(name, endpoint.address), endpoint]),
      ),
    );
    this.#errors = new Map((this.#before?.errors ?? []).map((error) => [errorKey(error), error.count]));
    this.rates = this.#totals();
  }

  /**
   * Returns errors of a kind and reason per second. A count missing from the previous frame was 0. Null
   * without a comparable previous frame.
   */
  errorRate(error: LiveError): number | null {
    if (this.#before === null) return null;
    return this.#rate(this.#errors.get(errorKey(error)) ?? 0, error.count);
  }

  /** Returns the rate of a cluster's counter. Null if the cluster is not in the previous frame. */
  clusterRate(cluster: Cluster, counter: 'retries' | 'rejections'): number | null {
    return this.#rate(this.#clusters.get(cluster.name)?.[counter], cluster[counter]);
  }

  /** Returns the rate of an endpoint's counter. Null if the endpoint is not in the previous frame. */
  endpointRate(
    { name }: Cluster,
    endpoint: Endpoint,
    counter: 'answers' | 'serverErrors' | 'connectFailures',
  ): number | null {
    const before = this.#endpoints.get(endpointKey(name, endpoint.address));
    return this.#rate(before?.[counter], endpoint[counter]);
  }

  /** Returns the mean seconds of an endpoint's answers since the previous frame. Null without answers. */
  meanAnswer({ name }: Cluster, endpoint: Endpoint): number | null {
    const before = this.#endpoints.get(endpointKey(name, endpoint.address));
    if (before === undefined) return null;
    const answers = endpoint.answers - before.answers;
    const seconds = endpoint.answerSeconds - before.answerSeconds;
    return answers > 0 && seconds > 0 ? seconds / answers : null;
  }

  #totals(): Rates {
    const { counters } = this.frame;
    const before = this.#before?.counters;
    const of = (...names: (keyof LiveCounters)[]): number | null =>
      before === undefined ? null : this.#rate(sum(before, names), sum(counters, names));
    return {
      connections: of('connections'),
      tunnels: of('tunnels'),
      handshakes: of('sessions', 'handshakeFailures'),
      messages: of('messagesUpstream', 'messagesDownstream'),
      bytes: of('bytesUpstream', 'bytesDownstream'),
      requests: of('requests'),
      errors:
        this.#before === null
          ? null
          : this.frame.errors.reduce((total, error) => total + (this.errorRate(error) ?? 0), 0),
    };
  }

  /** Returns a counter's rate. Null if the counter fell: it then belongs to a new object with an old name. */
  #rate(before: number | undefined, now: number): number | null {
    return before === undefined || now < before ? null : (now - before) / this.#seconds;
  }
}

function sum(counters: LiveCounters, names: readonly (keyof LiveCounters)[]): number {
  return names.reduce((total, name) => total + counters[name], 0);
}

function endpointKey(cluster: string, address: string): string {
  return `${cluster}\n${address}`;
}

function errorKey({ kind, reason }: LiveError): string {
  return `${kind}\n${reason}`;
}
