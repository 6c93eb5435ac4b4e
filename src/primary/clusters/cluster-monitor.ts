import { isDeepStrictEqual } from 'node:util';
import type {
  Cluster as ClusterConfig,
  Endpoint as EndpointConfig,
  ResolveSettings,
} from '../../config/types/cluster.ts';
import { formatAddress, nameIn } from '../../core/address.ts';
import type { ClusterState, EndpointHealth } from '../../protocol/cluster-state.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { allocateCursor } from '../../upstream/balancers/shared-cursor.ts';
import { membershipOf } from '../../upstream/membership.ts';
import { NameLookup, type FoundEndpoint } from '../../upstream/name-lookup.ts';
import { upstreamTls } from '../../upstream/upstream-tls.ts';
import { writeProxyHeader } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import { ClusterEndpoints, type EndpointOwner } from './cluster-endpoints.ts';
import { EndpointRecord, type RecordOwner } from './endpoint-record.ts';
import { NameWatch, type LookupCounts } from './name-watch.ts';
import { OutlierDetector, type Successes } from './outlier-detector.ts';
import { Prober, type ProbeOpening } from './prober.ts';
import { Publication } from './publication.ts';

interface MonitorOptions {
  readonly config: ClusterConfig;
  readonly log: Logger;
  /**
   * The monitor that this one replaces in its {@link ClusterMonitor.commit}, and null for a new cluster: nothing is
   * published before the commit. Left out for a cluster of the first configuration, which needs no commit.
   */
  readonly previous?: ClusterMonitor | null;
  /** Tells the workers. Called later than a change, once for all changes of a turn. */
  readonly publish: (state: ClusterState) => void;
  /** Returns the successes of an endpoint since the start, over all workers. */
  readonly successes: (label: string) => Successes;
  readonly lend: EndpointOwner['lend'];
  readonly giveBack: EndpointOwner['giveBack'];
  /** Called when probes have found an endpoint down. */
  readonly onDown: (record: EndpointRecord) => void;
  readonly lookup?: Pick<NameLookup, 'find'>;
}

/** Max time that names which do not resolve hold up the start. */
const FIRST_LOOKUP_TIMEOUT_MS = 3000;
/** Max labels of endpoints in one log line. */
const MAX_LISTED = 8;
/** Bounds the lines about changed endpoints: a name server can provoke thousands a second. */
const CHANGE_LINES = { burst: 200, everyMs: 50 };

/** Finds the endpoints of a cluster, probes and ejects them, and tells the workers of each change. */
export class ClusterMonitor {
  readonly config: ClusterConfig;
  /** Look-ups of all names of the cluster, since the start of the process. */
  readonly lookups: LookupCounts;
  /** Memory of the cursor that counts turns over all workers. The next monitor of the cluster keeps it. */
  readonly #cursor: SharedArrayBuffer;
  readonly #names: readonly NameWatch[];
  readonly #options: MonitorOptions;
  readonly #prober: Prober | null;
  readonly #outliers: OutlierDetector | null;
  readonly #endpoints: ClusterEndpoints;
  readonly #publication: Publication;
  readonly #changeLines = new LineLimit(undefined, CHANGE_LINES);
  readonly #firstLookups: Promise<void>[] = [];
  readonly #firstProbes: Promise<void>[] = [];
  /** The monitor to replace; null for a new cluster, and from the commit on. */
  #previous: ClusterMonitor | null;
  /** Whether endpoints are probed in the same way as by the previous monitor. */
  readonly #probesAlike: boolean;
  /** Whether the commit is still to come. */
  #isPending: boolean;
  /** The last state that was asked for. */
  #state: ClusterState | null = null;
  #panic = false;
  #isStarted = false;
  #isStopped = false;

  constructor(options: MonitorOptions) {
    const { config, log } = options;
    this.config = config;
    // Without `previous`: it would keep every earlier monitor in memory.
    this.#options = { ...options, previous: null };
    const previous = (this.#previous = options.previous ?? null);
    this.#isPending = options.previous !== undefined;
    this.#probesAlike = previous !== null && isDeepStrictEqual(probingOf(previous.config), probingOf(config));
    this.#cursor = previous === null ? allocateCursor() : previous.#cursor;
    this.lookups = previous?.lookups ?? { lookups: 0, failures: 0 };
    this.#prober =
      config.healthCheck === null
        ? null
        : new Prober(config.healthCheck, openingOf(config), log.child({ cluster: config.name }));
    this.#outliers =
      config.outlier === null
        ? null
        : new OutlierDetector(config.outlier, (record) => options.successes(record.facts.label));
    this.#publication = new Publication(() => this.#publish());
    const recordOwner: RecordOwner = {
      slowStartMs: config.slowStartMs,
      changed: (record, before) => this.#noteHealth(record, before),
      wentDown: (record) => {
        if (!this.#isPending) options.onDown(record);
      },
    };
    this.#endpoints = new ClusterEndpoints(config.endpoints, {
      create: (facts) => new EndpointRecord(facts, recordOwner),
      onAdded: (record) => this.#introduce(record),
      onRemoved: (record) => {
        this.#prober?.forget(record);
        this.#outliers?.forget(record);
      },
      lend: options.lend,
      giveBack: options.giveBack,
    });
    this.#names = this.#findEndpoints(options.lookup ?? new NameLookup(config.resolve));
  }

  get records(): readonly EndpointRecord[] {
    return this.#endpoints.all;
  }

  /** Addresses of the cluster's names that are not used. */
  get leftOut(): number {
    return this.#endpoints.leftOut;
  }

  /** Whether all endpoints are used, because too few are up. */
  get panic(): boolean {
    return this.#panic;
  }

  /** Resolves when the names have been looked up, and every endpoint probed, for the first time. */
  async ready(): Promise<void> {
    const late = Promise.withResolvers<undefined>();
    const timer = setTimeout(late.resolve, FIRST_LOOKUP_TIMEOUT_MS, undefined);
    await Promise.race([Promise.all(this.#firstLookups), late.promise]);
    clearTimeout(timer);
    await Promise.all(this.#firstProbes);
    this.#panic = this.#isPanic();
    this.#isStarted = true;
  }

  /** Returns the state for the workers: the same object as long as it is the same. A slow start changes it. */
  state(): ClusterState {
    const { records } = this;
    const known = this.#state?.endpoints;
    if (
      known?.length !== records.length ||
      records.some((record, index) => record.state() !== known[index])
    ) {
      const endpoints = records.map((record) => record.state());
      this.#state = { cluster: this.config.name, cursor: this.#cursor, endpoints };
    }
    return this.#state!;
  }

  find(label: string): EndpointRecord | undefined {
    return this.#endpoints.find(label);
  }

  endpointFailed(failure: Omit<EndpointFailure, 'cluster'>): void {
    const record = this.find(failure.endpoint);
    if (record === undefined) return;
    this.#outliers?.failed(record, failure, this.records);
  }

  /** Returns the endpoints of a name; none unless the name is looked up here with the same settings. */
  foundBefore({ address }: EndpointConfig, settings: ResolveSettings): FoundEndpoint[] {
    if (!isDeepStrictEqual(settings, this.config.resolve)) return [];
    const same = this.config.endpoints.find((entry) => isDeepStrictEqual(entry.address, address));
    const records = same === undefined ? [] : this.#endpoints.of(same);
    return records.map(({ facts: { addresses, priority, weight } }) => ({ addresses, priority, weight }));
  }

  /** Replaces the previous monitor, with everything that it has learned in the meantime, and publishes from now on. */
  commit(): void {
    const previous = this.#previous;
    this.#previous = null;
    this.#isPending = false;
    for (const record of this.records) {
      const known = previous?.find(record.facts.label);
      if (known !== undefined) {
        this.#inherit(record, known, previous);
        if (this.#probesAlike) this.#prober?.resume(record);
      }
      if (record.down && known?.down !== true) this.#options.onDown(record);
    }
    this.#panic = this.#isPanic();
    this.#options.publish(this.state());
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#publication.stop();
    this.#endpoints.release();
    for (const name of this.#names) name.stop();
    this.#prober?.stop();
    this.#outliers?.stop();
  }

  /** Adds the endpoints that the configuration has by address, and starts to look up the names. */
  #findEndpoints(lookup: Pick<NameLookup, 'find'>): NameWatch[] {
    const { config } = this;
    const names: NameWatch[] = [];
    for (const entry of config.endpoints) {
      const address = nameIn(entry.address);
      if (address === null) {
        this.#endpoints.list(entry);
        continue;
      }
      // Used until the name has been looked up again, and while it cannot be.
      const found = this.#previous?.foundBefore(entry, config.resolve) ?? [];
      if (found.length > 0) this.#reconcile(entry, found, 0);
      const name = new NameWatch({
        address,
        settings: config.resolve,
        lookup,
        log: this.#options.log.child({ cluster: config.name }),
        counts: this.lookups,
        onFound: (now, leftOut) => this.#reconcile(entry, now, leftOut),
      });
      names.push(name);
      if (found.length === 0) this.#firstLookups.push(name.first);
    }
    return names;
  }

  /** @param unused addresses that the name has beside `found` */
  #reconcile(entry: EndpointConfig, found: readonly FoundEndpoint[], unused: number): void {
    const { added, removed, isChanged, leftOut } = this.#endpoints.reconcile(entry, found, unused);
    const { log } = this.#options;
    const fields = { cluster: this.config.name, name: formatAddress(entry.address) };
    if (leftOut.after > 0 && leftOut.before === 0) {
      log.warn({ ...fields, leftOut: leftOut.after }, 'name has more addresses than are used');
    }
    if (leftOut.after === 0 && leftOut.before > 0) {
      log.info({ ...fields, leftOut: leftOut.after }, 'all addresses of the name are used');
    }
    if (!isChanged) return;
    if (this.#isStarted && added.length + removed.length > 0) {
      const endpoints = this.#endpoints.of(entry).length;
      const change = { added: listOf(added), removed: listOf(removed), endpoints };
      log.info({ ...fields, ...change }, 'endpoints found');
    }
    this.#changed();
  }

  #noteHealth(record: EndpointRecord, before: EndpointHealth): void {
    if (this.#isPending) return;
    const { health, reason, facts } = record;
    const more = this.#changeLines.take();
    if (more !== null) {
      const fields = { cluster: this.config.name, endpoint: facts.label, health, before, reason, ...more };
      this.#options.log.warn(fields, 'endpoint changed');
    }
    this.#changed();
  }

  /** Gives a new record what the previous monitor knows of the endpoint, or begins to find out about it. */
  #introduce(record: EndpointRecord): void {
    const known = this.#previous?.find(record.facts.label);
    if (known !== undefined) {
      this.#inherit(record, known, this.#previous);
      // The previous monitor probes the endpoint until the commit.
      if (this.#probesAlike) return;
    } else if (this.#isStarted || this.#previous !== null) {
      record.warm();
      if (this.#prober !== null) record.setDown(true, 'it has not been probed yet');
    }
    if (this.#prober === null) return;
    const probed = this.#prober.watch(record);
    if (!this.#isStarted) this.#firstProbes.push(probed);
  }

  #inherit(record: EndpointRecord, known: EndpointRecord, previous: ClusterMonitor | null): void {
    const before = previous === null ? null : previous.#outliers;
    record.inherit(known, { probed: this.#probesAlike, ejects: this.#outliers !== null });
    if (before !== null) this.#outliers?.inherit(record, before, known);
  }

  #isPanic(): boolean {
    return membershipOf(this.state().endpoints, this.config.panicThreshold).panic;
  }

  #changed(): void {
    if (!this.#isStarted || this.#isPending) return;
    this.#publication.schedule(this.records.length);
  }

  #publish(): void {
    const panic = this.#isPanic();
    if (panic !== this.#panic) {
      const { log } = this.#options;
      const cluster = this.config.name;
      if (panic) log.error({ cluster }, 'panic: most endpoints are down, and all are used');
      else log.warn({ cluster }, 'panic is over');
    }
    this.#panic = panic;
    this.#options.publish(this.state());
  }
}

/** Returns the settings of a cluster that change what its probes find. */
function probingOf({ healthCheck, tls, proxyProtocol }: ClusterConfig): unknown {
  return { healthCheck, tls, proxyProtocol };
}

/** Returns how the connections of a cluster's probes begin. */
function openingOf({ tls, proxyProtocol }: ClusterConfig): ProbeOpening {
  return {
    tls: tls === null ? null : upstreamTls(tls),
    preface: proxyProtocol === 'off' ? null : writeProxyHeader(proxyProtocol, null),
  };
}

/** Lists some labels for the log. */
function listOf(labels: readonly string[]): { count: number; first: readonly string[] } {
  return { count: labels.length, first: labels.slice(0, MAX_LISTED) };
}
