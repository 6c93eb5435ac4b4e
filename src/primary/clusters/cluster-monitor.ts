import { isDeepStrictEqual } from 'node:util';
import type {
  Cluster as ClusterConfig,
  Endpoint as EndpointConfig,
  OutlierSettings,
  ResolveSettings,
} from '../../config/types/cluster.ts';
import { formatAddress, namedAddress } from '../../core/address.ts';
import type { ClusterState, EndpointHealth } from '../../protocol/cluster-state.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import { LineLimit } from '../../telemetry/line-limit.ts';
import { allocateCursor } from '../../upstream/balancers/shared-cursor.ts';
import { membershipOf } from '../../upstream/membership.ts';
import { NameLookup, type FoundEndpoint } from '../../upstream/name-lookup.ts';
import { ClusterEndpoints, type EndpointOwner } from './cluster-endpoints.ts';
import { EndpointRecord, type EndpointFacts, type RecordOwner } from './endpoint-record.ts';
import type { MonitorOwner } from './monitor-owner.ts';
import { NameWatch, type LookupCounts } from './name-watch.ts';
import { OutlierDetector, type Successes } from './outlier-detector.ts';
import { isProbedAlike, openingOf } from './probe-opening.ts';
import { Prober } from './prober.ts';
import { Publication } from './publication.ts';

/** The parts of a monitor. */
interface MonitorOptions {
  readonly config: ClusterConfig;
  readonly owner: MonitorOwner;
  /**
   * The monitor that this one replaces in {@link ClusterMonitor.commit}; null for a new cluster. Nothing is
   * published before the commit. Omitted for clusters of the first configuration, which need no commit.
   */
  readonly previous?: ClusterMonitor | null;
  readonly lookup?: Pick<NameLookup, 'find'>;
}

/** Max time that unresolved names delay the start. */
const FIRST_LOOKUP_TIMEOUT_MS = 3000;
/** Max endpoint labels in one log line. */
const MAX_LISTED = 8;
/** Rate limit of log lines about changed endpoints: a name server can provoke thousands per second. */
const CHANGE_LINES = { burst: 200, everyMs: 50 };

/**
 * Resolves, probes and ejects the endpoints of a cluster, and publishes each change to the workers. There may
 * be a thousand monitors, so parts that only some clusters need are created at first use.
 */
export class ClusterMonitor implements RecordOwner, EndpointOwner {
  readonly config: ClusterConfig;
  /** Lookups of all names of the cluster, since the start of the process. */
  readonly lookups: LookupCounts;
  readonly #owner: MonitorOwner;
  /** Memory of the cursor that counts turns over all workers. The cluster's next monitor keeps it. */
  readonly #cursor: SharedArrayBuffer;
  readonly #names: readonly NameWatch[];
  readonly #prober: Prober | null;
  /** Null until an endpoint fails. */
  #outliers: OutlierDetector | null = null;
  readonly #endpoints: ClusterEndpoints;
  /** Null until a change is published. */
  #publication: Publication | null = null;
  #changeLines: LineLimit | null = null;
  /** Lookups that delay the start; null if there are none. */
  #firstLookups: Promise<void>[] | null = null;
  /** Number of endpoints whose first probe delays the start. */
  #unprobed = 0;
  /** Called when {@link #unprobed} reaches 0. */
  #onProbed: (() => void) | null = null;
  /** The monitor to replace. Null for a new cluster, and after the commit. */
  #previous: ClusterMonitor | null;
  /** Whether the previous monitor probes endpoints in the same way. */
  readonly #probesAlike: boolean;
  /** True until the commit. */
  #isPending: boolean;
  /** The last result of {@link state}. */
  #state: ClusterState | null = null;
  #panic = false;
  #isStarted = false;
  #isStopped = false;

  constructor({ config, owner, previous, lookup }: MonitorOptions) {
    this.config = config;
    this.#owner = owner;
    const known = (this.#previous = previous ?? null);
    this.#isPending = previous !== undefined;
    this.#probesAlike = known !== null && isProbedAlike(known.config, config);
    this.#cursor = known === null ? allocateCursor() : known.#cursor;
    const hasNames = config.endpoints.some(({ address }) => namedAddress(address) !== null);
    this.lookups = known?.lookups ?? { lookups: 0, failures: 0 };
    this.#prober =
      config.healthCheck === null
        ? null
        : new Prober({
            check: config.healthCheck,
            opening: openingOf(config),
            tools: owner.tools.probing,
            cluster: config.name,
            log: owner.log,
          });
    this.#endpoints = new ClusterEndpoints(config.endpoints, this);
    this.#names = this.#findEndpoints(hasNames ? (lookup ?? new NameLookup(config.resolve)) : null);
  }

  get slowStartMs(): number {
    return this.config.slowStartMs;
  }

  get records(): readonly EndpointRecord[] {
    return this.#endpoints.all;
  }

  /** Number of unused addresses of the cluster's names. */
  get leftOut(): number {
    return this.#endpoints.leftOut;
  }

  /** Whether the balancer uses all endpoints, because too few are up. */
  get panic(): boolean {
    return this.#panic;
  }

  /** Resolves after the first lookup of every name and the first probe of every endpoint. Call it once. */
  async ready(): Promise<void> {
    if (this.#firstLookups !== null) {
      const late = Promise.withResolvers<undefined>();
      const timer = setTimeout(late.resolve, FIRST_LOOKUP_TIMEOUT_MS, undefined);
      await Promise.race([Promise.all(this.#firstLookups), late.promise]);
      clearTimeout(timer);
    }
    if (this.#unprobed > 0) await new Promise<void>((resolve) => (this.#onProbed = resolve));
    this.#panic = this.#isPanic();
    this.#isStarted = true;
  }

  /**
   * Returns the state for workers. It is the same object until the state changes. A slow start changes it
   * each time.
   */
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
    if (record === undefined || this.config.outlier === null) return;
    this.#outliers ??= this.#createOutliers(this.config.outlier);
    this.#outliers.failed(record, failure, this.records);
  }

  /**
   * Returns the known endpoints of a name. Empty unless this monitor resolves the name with the same
   * settings.
   */
  knownEndpoints({ address }: EndpointConfig, settings: ResolveSettings): FoundEndpoint[] {
    if (!isDeepStrictEqual(settings, this.config.resolve)) return [];
    const same = this.config.endpoints.find((entry) => isDeepStrictEqual(entry.address, address));
    const records = same === undefined ? [] : this.#endpoints.of(same);
    return records.map(({ facts: { addresses, priority, weight } }) => ({ addresses, priority, weight }));
  }

  /** Replaces the previous monitor, takes over what it has learned since, and starts publishing. */
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
      if (record.down && known?.down !== true) this.#owner.wentDown(this.config, record);
    }
    this.#panic = this.#isPanic();
    this.#owner.publish(this.config, this.state());
  }

  create(facts: EndpointFacts): EndpointRecord {
    return new EndpointRecord(facts, this);
  }

  /** Copies the previous monitor's state into a new record, or starts to probe the endpoint. */
  added(record: EndpointRecord): void {
    const known = this.#previous?.find(record.facts.label);
    if (known !== undefined) {
      this.#inherit(record, known, this.#previous);
      // Until the commit, the previous monitor probes the endpoint.
      if (this.#probesAlike) return;
    } else if (this.#isStarted || this.#previous !== null) {
      record.startSlowStart();
      if (this.#prober !== null) record.setDown(true, 'it has not been probed yet');
    }
    if (this.#prober === null) return;
    this.#unprobed++;
    this.#prober.watch(record, this.#noteProbed);
  }

  removed(record: EndpointRecord): void {
    this.#prober?.forget(record);
    this.#outliers?.forget(record);
  }

  leaseSeries(label: string): number | null {
    return this.#owner.leaseSeries(this.config.name, label);
  }

  returnSeries(label: string): void {
    this.#owner.returnSeries(this.config.name, label);
  }

  changed(record: EndpointRecord, before: EndpointHealth): void {
    if (this.#isPending) return;
    const { health, reason, facts } = record;
    this.#changeLines ??= new LineLimit(undefined, CHANGE_LINES);
    const more = this.#changeLines.take();
    if (more !== null) {
      const fields = { cluster: this.config.name, endpoint: facts.label, health, before, reason, ...more };
      this.#owner.log.warn(fields, 'endpoint changed');
      const { cluster, endpoint } = fields;
      this.#owner.report({ kind: 'endpoint', reason: health, detail: reason, cluster, endpoint });
    }
    this.#changed();
  }

  wentDown(record: EndpointRecord): void {
    if (!this.#isPending) this.#owner.wentDown(this.config, record);
  }

  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#publication?.stop();
    this.#endpoints.release();
    for (const name of this.#names) name.stop();
    this.#prober?.stop();
    this.#outliers?.stop();
  }

  /** Adds the endpoints that the configuration lists by address, and starts the lookups of names. */
  #findEndpoints(lookup: Pick<NameLookup, 'find'> | null): NameWatch[] {
    const { config } = this;
    const names: NameWatch[] = [];
    for (const entry of config.endpoints) {
      const address = namedAddress(entry.address);
      if (address === null || lookup === null) {
        this.#endpoints.list(entry);
        continue;
      }
      // Known endpoints serve until the next lookup succeeds.
      const found = this.#previous?.knownEndpoints(entry, config.resolve) ?? [];
      if (found.length > 0) this.#reconcile(entry, found, 0);
      const name = new NameWatch({
        address,
        settings: config.resolve,
        lookup,
        tools: this.#owner.tools.lookingUp,
        cluster: config.name,
        log: this.#owner.log,
        counts: this.lookups,
        onFound: (now, leftOut) => this.#reconcile(entry, now, leftOut),
      });
      names.push(name);
      if (found.length === 0) (this.#firstLookups ??= []).push(name.first);
    }
    return names;
  }

  /** @param unused number of addresses of the name that are not in `found` */
  #reconcile(entry: EndpointConfig, found: readonly FoundEndpoint[], unused: number): void {
    const { added, removed, isChanged, leftOut } = this.#endpoints.reconcile(entry, found, unused);
    const { log } = this.#owner;
    const fields = { cluster: this.config.name, name: formatAddress(entry.address) };
    if (leftOut.after > 0 && leftOut.before === 0) {
      log.warn({ ...fields, leftOut: leftOut.after }, 'some addresses of the name are unused');
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

  readonly #noteProbed = (): void => {
    this.#unprobed--;
    if (this.#unprobed === 0) this.#onProbed?.();
  };

  #inherit(record: EndpointRecord, known: EndpointRecord, previous: ClusterMonitor | null): void {
    const { outlier } = this.config;
    record.inherit(known, { probed: this.#probesAlike, ejects: outlier !== null });
    const before = previous === null ? null : previous.#outliers;
    if (before === null || outlier === null) return;
    this.#outliers ??= this.#createOutliers(outlier);
    this.#outliers.inherit(record, before, known);
  }

  #createOutliers(settings: OutlierSettings): OutlierDetector {
    const { name } = this.config;
    const successes = (record: EndpointRecord): Successes => this.#owner.successes(name, record.facts.label);
    return new OutlierDetector(settings, successes, this.#owner.tools.wheel);
  }

  #isPanic(): boolean {
    return membershipOf(this.state().endpoints, this.config.panicThreshold).panic;
  }

  #changed(): void {
    if (!this.#isStarted || this.#isPending) return;
    this.#publication ??= new Publication(() => this.#publish());
    this.#publication.schedule(this.records.length);
  }

  #publish(): void {
    const panic = this.#isPanic();
    if (panic !== this.#panic) {
      const { log, report } = this.#owner;
      const cluster = this.config.name;
      if (panic) log.error({ cluster }, 'panic: most endpoints are down, using all of them');
      else log.warn({ cluster }, 'panic ended');
      report({ kind: 'endpoint', reason: panic ? 'panic' : 'panic_over', cluster });
    }
    this.#panic = panic;
    this.#owner.publish(this.config, this.state());
  }
}

/** Shortens a list of labels for the log. */
function listOf(labels: readonly string[]): { count: number; first: readonly string[] } {
  return { count: labels.length, first: labels.slice(0, MAX_LISTED) };
}
