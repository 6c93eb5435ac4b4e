import type { OutlierFailure, OutlierSettings } from '../../config/types/cluster.ts';
import type { LoopWheel } from '../../core/timing/loop-wheel.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import { formatDuration } from '../../core/units/duration.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import { FailureWindow, SAMPLES_PER_WINDOW } from './failure-window.ts';

/** Successes of an endpoint since the start, over all workers. */
export interface Successes {
  readonly dials: number;
  /** Responses with a status below 500. */
  readonly answers: number;
  /** Well-formed responses with a status of 500 to 599. */
  readonly serverErrors: number;
}

type Failure = Pick<EndpointFailure, 'kind' | 'count' | 'client'>;

/** Schedules the end of ejections. A `LoopWheel` is one. */
type EjectionWheel = Pick<LoopWheel, 'arm' | 'disarm'>;

/** Counts over all endpoints of a cluster, for one kind of failure. */
interface Survey {
  readonly at: number;
  readonly successes: ReadonlyMap<EndpointRecord, number>;
  /** Number of client networks that saw failures. Both maps omit endpoints with a count of 0. */
  readonly clients: ReadonlyMap<EndpointRecord, number>;
}

/** Consecutive failures of one kind, and those in the window. */
interface FailureRun {
  failures: number;
  /**
   * Successes at the last failure. If there are more at the next failure, the failures are not consecutive.
   */
  successes: number;
  readonly window: FailureWindow;
}

/** State of one endpoint, created at its first failure. Its timer ends the current ejection. */
class Track extends Timed {
  readonly runs: Map<OutlierFailure, FailureRun>;
  /** The kind of failure that caused the last ejection. */
  ejectedFor: OutlierFailure | null = null;
  /** Consecutive ejections. */
  ejections = 0;
  /** When the last ejection ended. */
  ejectionEndedAt = 0;
  /** When the current ejection ends. */
  endsAt = 0;
  readonly #detector: OutlierDetector;
  readonly #record: EndpointRecord;

  constructor(
    detector: OutlierDetector,
    record: EndpointRecord,
    runs = new Map<OutlierFailure, FailureRun>(),
  ) {
    super();
    this.#detector = detector;
    this.#record = record;
    this.runs = runs;
  }

  override expire(): void {
    this.#detector.endEjection(this.#record, this);
  }
}

/**
 * Ejects endpoints after consecutive failures over all workers. Each further ejection lasts longer. After an
 * ejection, a single failure ejects the endpoint again. Only a fraction of the cluster can be ejected.
 *
 * Failed dials always count against the endpoint. Clients can provoke the other kinds, so these eject only if
 * all of the following hold:
 * - The failures continued for the whole window.
 * - Clients of several networks saw them. Each network counts once, so no single client can eject an
 *   endpoint.
 * - At least as many networks saw failures as the endpoint had successes in the window.
 * - The cluster's other endpoints had more successes than networks with failures. What fails everywhere is
 *   the request.
 */
export class OutlierDetector {
  readonly #settings: OutlierSettings;
  readonly #successes: (record: EndpointRecord) => Successes;
  readonly #wheel: EjectionWheel;
  readonly #tracks = new Map<EndpointRecord, Track>();
  readonly #surveys = new Map<OutlierFailure, Survey>();

  constructor(
    settings: OutlierSettings,
    successes: (record: EndpointRecord) => Successes,
    wheel: EjectionWheel,
  ) {
    this.#settings = settings;
    this.#successes = successes;
    this.#wheel = wheel;
  }

  /**
   * Records a failure of an endpoint, and ejects the endpoint after too many.
   *
   * @param all the cluster's endpoints
   */
  failed(record: EndpointRecord, failure: Failure, all: readonly EndpointRecord[]): void {
    const { kind, count } = failure;
    const { failures, consecutiveFailures, ejectionMs, maxEjectionMs } = this.#settings;
    // The worker may have sent the report before the settings changed.
    if (!failures.includes(kind)) return;
    const track = this.#track(record);
    const run = this.#run(track, kind);
    const successes = this.#successesOf(record, kind);
    if (successes > run.successes) run.failures = 0;
    run.successes = successes;
    run.failures += count;
    const clients = kind === 'connect' ? null : this.#outlyingClients(record, run, failure, all);
    if (record.ejected || run.failures < consecutiveFailures || clients === 0 || !this.#mayEject(all)) return;
    // Each ejection period without a failure forgives one ejection.
    const forgiven = Math.floor((Date.now() - track.ejectionEndedAt) / ejectionMs);
    track.ejections = Math.max(0, track.ejections - forgiven) + 1;
    const ms = Math.min(maxEjectionMs, ejectionMs * track.ejections);
    track.ejectedFor = kind;
    this.#eject(track, ms);
    const clientText = clients === null ? '' : ` for ${clients} clients`;
    record.setEjected(
      true,
      `${run.failures} ${kind} failures in a row${clientText}; ejected for ${formatDuration(ms)}`,
    );
  }

  /**
   * Copies the state of an endpoint from the previous configuration's detector, including a current ejection.
   */
  inherit(record: EndpointRecord, other: OutlierDetector, known: EndpointRecord): void {
    this.forget(record);
    const track = other.#tracks.get(known);
    if (track === undefined) return;
    // A window of another length starts empty.
    const { windowMs } = this.#settings;
    const runs = new Map(
      [...track.runs].map(([kind, run]) => [
        kind,
        windowMs === other.#settings.windowMs ? run : { ...run, window: new FailureWindow(windowMs) },
      ]),
    );
    const copy = new Track(this, record, runs);
    const { ejectedFor, ejections, ejectionEndedAt, endsAt } = track;
    Object.assign(copy, { ejectedFor, ejections, ejectionEndedAt });
    this.#tracks.set(record, copy);
    if (track.wheelTick >= 0) this.#eject(copy, Math.max(0, endsAt - Date.now()));
  }

  /** Drops the state of a removed endpoint. */
  forget(record: EndpointRecord): void {
    const track = this.#tracks.get(record);
    if (track === undefined) return;
    this.#wheel.disarm(track);
    this.#tracks.delete(record);
  }

  /** Ends the ejection of an endpoint. */
  endEjection(record: EndpointRecord, track: Track): void {
    for (const [kind, run] of track.runs) {
      run.failures = kind === track.ejectedFor ? this.#settings.consecutiveFailures - 1 : 0;
      run.window.clear();
    }
    track.ejectionEndedAt = Date.now();
    record.setEjected(false, 'its ejection ended');
  }

  stop(): void {
    for (const record of [...this.#tracks.keys()]) this.forget(record);
  }

  /**
   * Records a failure that a client may have provoked.
   *
   * @returns the number of client networks with failures if the failures count against the endpoint,
   * otherwise 0
   */
  #outlyingClients(
    record: EndpointRecord,
    { window }: FailureRun,
    { kind, client }: Failure,
    all: readonly EndpointRecord[],
  ): number {
    const now = Date.now();
    window.add(client, now);
    if (!window.isSampleDue(now)) return 0;
    const { successes, clients } = this.#survey(kind, all, now);
    const own = successes.get(record) ?? 0;
    const recent = window.sample({ own, others: sumOf(successes) - own }, now);
    const failing = window.clients(now);
    if (recent === null || failing < this.#settings.minClients || failing < recent.own) return 0;
    return recent.others > sumOf(clients) - (clients.get(record) ?? 0) ? failing : 0;
  }

  /** Counts over all endpoints of the cluster. Failures in quick succession share the counts. */
  #survey(kind: OutlierFailure, all: readonly EndpointRecord[], now: number): Survey {
    const known = this.#surveys.get(kind);
    if (known !== undefined && now - known.at < this.#settings.windowMs / SAMPLES_PER_WINDOW / 2)
      return known;
    // Only endpoints with traffic: a cluster may have ten thousand others.
    const successes = new Map<EndpointRecord, number>();
    for (const record of all) {
      const count = this.#successesOf(record, kind);
      if (count > 0) successes.set(record, count);
    }
    const clients = new Map<EndpointRecord, number>();
    for (const [record, { runs }] of this.#tracks) {
      const run = runs.get(kind);
      if (run !== undefined) clients.set(record, run.window.clients(now));
    }
    const survey = { at: now, successes, clients };
    this.#surveys.set(kind, survey);
    return survey;
  }

  /** Returns the successes of an endpoint that contradict a kind of failure. */
  #successesOf(record: EndpointRecord, kind: OutlierFailure): number {
    // Each property sums the pages of all workers on access.
    const successes = this.#successes(record);
    switch (kind) {
      case 'connect':
        return successes.dials;
      case 'reset':
      case 'handshake':
        return successes.answers + successes.serverErrors;
      case '5xx':
        return successes.answers;
    }
  }

  #mayEject(all: readonly EndpointRecord[]): boolean {
    const ejected = all.filter((record) => record.ejected).length;
    return (ejected + 1) * 100 <= all.length * this.#settings.maxEjectedPercent;
  }

  #eject(track: Track, ms: number): void {
    track.endsAt = Date.now() + ms;
    this.#wheel.arm(track, ms);
  }

  #track(record: EndpointRecord): Track {
    let track = this.#tracks.get(record);
    if (track === undefined) {
      track = new Track(this, record);
      this.#tracks.set(record, track);
    }
    return track;
  }

  #run(track: Track, kind: OutlierFailure): FailureRun {
    let run = track.runs.get(kind);
    if (run === undefined) {
      run = { failures: 0, successes: 0, window: new FailureWindow(this.#settings.windowMs) };
      track.runs.set(kind, run);
    }
    return run;
  }
}

function sumOf(counts: ReadonlyMap<EndpointRecord, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}
