/** Writes the frames of `GET /live`. */
import type { Steps } from '../../../core/timing/steps.ts';
import type { LiveCounters, LiveFrame } from '../../../protocol/admin/live.ts';
import type { PrimaryState } from '../../../protocol/admin/status.ts';
import { pageMetrics, threadMetrics } from '../../../telemetry/metrics/page-metrics.ts';
import type { Drains } from '../../control/drains.ts';
import type { Reloader } from '../../control/reloader.ts';
import type { Versions } from '../../process/versions.ts';
import type { Supervisor } from '../../workers/supervisor.ts';
import { workersOf, workerStatus } from '../pages/status.ts';
import { liveClusters, type ClusterFacts } from './live-clusters.ts';
import { LiveListeners, type ListenerParts } from './live-listeners.ts';
import { TallyReader, type Tallies } from './live-tallies.ts';
import { RecentQuantiles } from './recent-quantiles.ts';
import { RisingTotals } from './rising-totals.ts';

/** The parts of the primary that provide a frame. */
interface LiveFacts extends ClusterFacts, ListenerParts {
  readonly supervisor: ClusterFacts['supervisor'] &
    Pick<Supervisor, 'config' | 'slots' | 'leaving' | 'leftBehind' | 'generation' | 'count'>;
  readonly reloader: Pick<Reloader, 'current' | 'lastSucceeded' | 'lastSuccessAt' | 'needsRestart'>;
  readonly drains: Pick<Drains, 'progress'>;
  readonly versions: Versions;
  readonly state: () => PrimaryState;
  /** Returns why the process should get no traffic; null if it is ready. */
  readonly notReady: () => string | null;
  /** Returns the primary's own counts of refusals and failures. */
  readonly ownErrors: () => LiveFrame['errors'];
}

type Sums = Tallies['sums'];

const COUNTERS = [
  'connections',
  'sessions',
  'tunnels',
  'requests',
  'handshakeFailures',
  'messagesUpstream',
  'messagesDownstream',
  'bytesUpstream',
  'bytesDownstream',
] as const satisfies readonly (keyof LiveCounters & keyof Sums)[];

/** Writes frames in sequence. Some values are differences from earlier frames. */
export class FrameWriter {
  readonly #facts: LiveFacts;
  readonly #tallies: TallyReader;
  readonly #totals = new RisingTotals();
  readonly #handshakes = new RecentQuantiles(pageMetrics.handshakeDuration.buckets ?? []);
  readonly #requests = new RecentQuantiles(pageMetrics.httpDuration.buckets ?? []);
  readonly #listeners: LiveListeners;

  constructor(facts: LiveFacts) {
    this.#facts = facts;
    this.#tallies = new TallyReader(facts.supervisor.sums);
    this.#listeners = new LiveListeners(facts);
  }

  /**
   * Writes the JSON of a {@link LiveFrame} in steps of less than 1 ms: there may be ten thousand endpoints.
   */
  *write(): Steps<string> {
    const tallies = yield* this.#tallies.read();
    const { drains } = this.#facts;
    const { progress } = drains;
    const isDrained = (kind: 'listener' | 'cluster', name: string): boolean =>
      progress.some(({ scope }) => scope.kind === kind && scope.name === name);
    const clusters = yield* liveClusters(this.#facts, (name) => isDrained('cluster', name));
    yield;
    const head: Omit<LiveFrame, 'clusters'> = {
      ...this.#process(),
      ...this.#counts(tallies),
      workers: this.#workers(),
      listeners: this.#listeners.read((name) => isDrained('listener', name)),
      drains: progress,
      clusterCount: this.#facts.clusters.all.length,
    };
    let text = `${JSON.stringify(head).slice(0, -1)},"clusters":[`;
    let separator = '';
    for (const cluster of clusters) {
      yield;
      text += separator + JSON.stringify(cluster);
      separator = ',';
    }
    return `${text}]}`;
  }

  #process(): Pick<
    LiveFrame,
    | 'at'
    | 'version'
    | 'pid'
    | 'uptimeSeconds'
    | 'state'
    | 'notReady'
    | 'generation'
    | 'lastReloadSucceeded'
    | 'lastReloadSuccessAt'
    | 'needsRestart'
    | 'takesCommands'
  > {
    const { supervisor, reloader, versions, state, notReady } = this.#facts;
    return {
      at: Date.now(),
      version: versions.sluice,
      pid: process.pid,
      uptimeSeconds: Math.round(process.uptime()),
      state: state(),
      notReady: notReady(),
      generation: supervisor.generation,
      lastReloadSucceeded: reloader.lastSucceeded,
      lastReloadSuccessAt: new Date(reloader.lastSuccessAt).toISOString(),
      needsRestart: reloader.needsRestart,
      takesCommands: supervisor.config.admin.token !== null,
    };
  }

  #counts({
    sums,
    errors,
    handshakeSeconds,
    requestSeconds,
  }: Tallies): Pick<LiveFrame, 'gauges' | 'counters' | 'errors' | 'handshakeSeconds' | 'requestSeconds'> {
    const { supervisor, ownErrors } = this.#facts;
    const now = performance.now();
    const counters = COUNTERS.map((name) => [name, this.#totals.add(name, sums[name])] as const);
    return {
      gauges: {
        connections: sums.connectionsActive,
        sessions: sums.sessionsActive,
        tunnels: sums.tunnelsActive,
        requests: sums.requestsActive,
        handshakes: sums.handshakesActive,
        residentBytes: process.memoryUsage.rss(),
        bufferedBytes: sums.bufferedBytes,
        bufferBudgetBytes: supervisor.config.workers.bufferBudget,
      },
      counters: Object.fromEntries(counters) as unknown as LiveCounters,
      handshakeSeconds: this.#handshakes.note(handshakeSeconds, now),
      requestSeconds: this.#requests.note(requestSeconds, now),
      errors: [
        ...errors.map(({ kind, reason, count }) => ({
          kind,
          reason,
          count: this.#totals.add(`${kind} ${reason}`, count),
        })),
        ...ownErrors(),
      ].filter(({ count }) => count > 0),
    };
  }

  #workers(): LiveFrame['workers'] {
    const { supervisor } = this.#facts;
    return workersOf(supervisor).map((slot) => {
      const at = supervisor.directory.find(threadMetrics.eventLoopLag, { worker: slot.name });
      const lagSeconds = at === undefined ? 0 : new Float64Array(slot.page)[at]!;
      return { ...workerStatus(slot, supervisor), lagSeconds };
    });
  }
}
