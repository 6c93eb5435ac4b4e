/** Sums of a live frame over all owners of series, such as listeners and clusters. */
import type { Steps } from '../../../core/timing/steps.ts';
import { BlockShape, type Labels } from '../../../telemetry/block-shape.ts';
import type { Metric } from '../../../telemetry/metrics/metric.ts';
import { pageMetrics } from '../../../telemetry/metrics/page-metrics.ts';
// Registers the shapes of all metrics.
import '../../../telemetry/metrics/page-shapes.ts';
import type { Block } from '../../../telemetry/page-layout.ts';
import type { PageSums } from '../../../telemetry/page-sums.ts';

/** Series to sum. */
interface Tally {
  /** Offsets of the series in the blocks of each shape. */
  readonly places: readonly { readonly shape: BlockShape; readonly offset: number }[];
}

/** A metric of refusals or failures, with the label that holds the reason. */
interface ErrorSource {
  readonly kind: string;
  readonly metric: Metric;
  /** Returns the reason; null if the series counts no failure. */
  readonly reason: (labels: Labels) => string | null;
}

/** Close reasons of failed tunnels. Tunnels with other reasons were idle or ended on purpose. */
const TUNNEL_FAILURES: ReadonlySet<string> = new Set([
  'reset',
  'half_close_timeout',
  'tls_refused',
  'aborted',
  'fault',
]);
/** Close codes of failed sessions: no close frame, or an error of the endpoint or the proxy. */
const SESSION_FAILURES: ReadonlySet<string> = new Set(['1006', '1011']);

const byReason = ({ reason = '' }: Labels): string => reason;
const ERRORS: readonly ErrorSource[] = [
  { kind: 'handshake', metric: pageMetrics.handshakeFailures, reason: byReason },
  { kind: 'request', metric: pageMetrics.httpRefusals, reason: byReason },
  {
    kind: 'request',
    metric: pageMetrics.httpRequests,
    reason: ({ code = '' }) => (code === '5xx' ? 'status_5xx' : null),
  },
  { kind: 'response', metric: pageMetrics.httpCuts, reason: byReason },
  { kind: 'connection', metric: pageMetrics.connectionsRejected, reason: byReason },
  { kind: 'accept', metric: pageMetrics.acceptFailures, reason: byReason },
  { kind: 'access', metric: pageMetrics.accessRefusals, reason: byReason },
  { kind: 'limit', metric: pageMetrics.limitRefusals, reason: ({ kind = '' }) => kind },
  { kind: 'endpoint', metric: pageMetrics.endpointConnectFailures, reason: byReason },
  { kind: 'endpoint', metric: pageMetrics.endpointServerErrors, reason: () => 'server_error' },
  { kind: 'cluster', metric: pageMetrics.clusterRejections, reason: byReason },
  {
    kind: 'tunnel',
    metric: pageMetrics.tunnelCloses,
    reason: ({ reason = '' }) => (TUNNEL_FAILURES.has(reason) ? reason : null),
  },
  {
    kind: 'session',
    metric: pageMetrics.closes,
    // Clients often leave without a close frame.
    reason: ({ side = '', code = '' }) =>
      side !== 'client' && SESSION_FAILURES.has(code) ? `${side}_${code}` : null,
  },
  { kind: 'session', metric: pageMetrics.sessionsShed, reason: () => 'shed' },
  { kind: 'session', metric: pageMetrics.bufferOverflows, reason: () => 'buffer_overflow' },
];

const SUMS = {
  connectionsActive: tallyOf([pageMetrics.connectionsActive]),
  sessionsActive: tallyOf([pageMetrics.sessionsActive]),
  tunnelsActive: tallyOf([pageMetrics.tunnelsActive]),
  requestsActive: tallyOf([pageMetrics.httpRequestsActive]),
  handshakesActive: tallyOf([pageMetrics.handshakesPending, pageMetrics.handshakesQueued]),
  bufferedBytes: tallyOf([pageMetrics.bufferedBytes, pageMetrics.unfinishedBytes]),
  connections: tallyOf([pageMetrics.connections]),
  sessions: tallyOf([pageMetrics.sessions]),
  tunnels: tallyOf([pageMetrics.tunnels]),
  requests: tallyOf([pageMetrics.httpRequests]),
  handshakeFailures: tallyOf([pageMetrics.handshakeFailures]),
  messagesUpstream: tallyOf([pageMetrics.messages], { direction: 'upstream' }),
  messagesDownstream: tallyOf([pageMetrics.messages], { direction: 'downstream' }),
  bytesUpstream: tallyOf([pageMetrics.bytes, pageMetrics.tunnelBytes], { direction: 'upstream' }),
  bytesDownstream: tallyOf([pageMetrics.bytes, pageMetrics.tunnelBytes], { direction: 'downstream' }),
} as const;

type SumName = keyof typeof SUMS;

/** Number of blocks read per step, which takes less than 1 ms. */
const BLOCKS_PER_STEP = 200;

/** Sums over all workers and owners at one moment. */
export interface Tallies {
  readonly sums: Readonly<Record<SumName, number>>;
  readonly errors: readonly { readonly kind: string; readonly reason: string; readonly count: number }[];
  /** Observations per bucket. */
  readonly handshakeSeconds: Float64Array;
  readonly requestSeconds: Float64Array;
}

/** Reads the sums from the stats pages of all workers. */
export class TallyReader {
  readonly #pages: PageSums;
  readonly #names = Object.keys(SUMS) as SumName[];
  readonly #errors = errorTallies();
  /** For each shape: offset in the block and index of the sum, alternating. */
  readonly #plan: ReadonlyMap<BlockShape, readonly number[]>;
  readonly #size: number;
  readonly #handshakes: readonly [start: number, end: number];
  readonly #requests: readonly [start: number, end: number];

  constructor(pages: PageSums) {
    this.#pages = pages;
    const tallies: Tally[] = [...Object.values(SUMS), ...this.#errors.map(({ tally }) => tally)];
    const addBuckets = (metric: Metric): readonly [number, number] => {
      const start = tallies.length;
      tallies.push(...bucketTallies(metric));
      return [start, tallies.length];
    };
    this.#handshakes = addBuckets(pageMetrics.handshakeDuration);
    this.#requests = addBuckets(pageMetrics.httpDuration);
    this.#plan = planOf(tallies);
    this.#size = tallies.length;
  }

  /** Reads all sums, in steps. */
  *read(): Steps<Tallies> {
    const values = new Float64Array(this.#size);
    const { series } = this.#pages;
    const blocks = yield* series.listVisible();
    let { version } = series;
    let remaining: ReadonlySet<Block> | null = null;
    let seen = 0;
    for (const block of blocks) {
      if (version !== series.version) {
        // A reload between two steps may have given slots to other owners.
        ({ version } = series);
        remaining = new Set(yield* series.listVisible());
      }
      if (remaining?.has(block) === false) continue;
      const { shape, slot } = block;
      const plan = this.#plan.get(shape) ?? [];
      for (let at = 0; at < plan.length; at += 2) values[plan[at + 1]!]! += this.#pages.at(slot + plan[at]!);
      if (++seen % BLOCKS_PER_STEP === 0) yield;
    }
    const named = this.#names.map((name, index) => [name, values[index]!] as const);
    const first = this.#names.length;
    return {
      sums: Object.fromEntries(named) as Record<SumName, number>,
      errors: this.#errors.map(({ kind, reason }, index) => ({
        kind,
        reason,
        count: values[first + index]!,
      })),
      handshakeSeconds: values.subarray(...this.#handshakes),
      requestSeconds: values.subarray(...this.#requests),
    };
  }
}

/** Collects the series of metrics. @param wanted required values of labels */
function tallyOf(metrics: readonly Metric[], wanted: Labels = {}): Tally {
  const isWanted = (labels: Labels): boolean =>
    Object.entries(wanted).every(([name, value]) => labels[name] === value);
  const places = metrics.flatMap((metric) => placesOf(metric).filter(({ labels }) => isWanted(labels)));
  return { places };
}

function placesOf(metric: Metric): { shape: BlockShape; labels: Labels; offset: number }[] {
  const shape = BlockShape.of(metric);
  const places = shape.series.filter((place) => place.metric === metric);
  return places.map(({ labels, offset }) => ({ shape, labels, offset }));
}

function errorTallies(): { kind: string; reason: string; tally: Tally }[] {
  return ERRORS.flatMap(({ kind, metric, reason }) => {
    const byName = Map.groupBy(placesOf(metric), ({ labels }) => reason(labels));
    return [...byName].flatMap(([name, places]) =>
      name === null ? [] : [{ kind, reason: name, tally: { places } }],
    );
  });
}

/** Returns a tally for each bucket of a histogram, including the one above the last bound. */
function bucketTallies(metric: Metric): Tally[] {
  return Array.from({ length: (metric.buckets?.length ?? 0) + 1 }, (_, index) => ({
    places: placesOf(metric).map(({ shape, offset }) => ({ shape, offset: offset + index })),
  }));
}

function planOf(tallies: readonly Tally[]): Map<BlockShape, number[]> {
  const plan = new Map<BlockShape, number[]>();
  for (const [index, { places }] of tallies.entries()) {
    for (const { shape, offset } of places) {
      const steps = plan.get(shape) ?? [];
      plan.set(shape, steps);
      steps.push(offset, index);
    }
  }
  return plan;
}
