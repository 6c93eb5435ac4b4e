import type { OutlierFailure, OutlierSettings } from '../../config/types/cluster.ts';
import type { LoopWheel } from '../../core/timing/loop-wheel.ts';
import { Timed } from '../../core/timing/timer-wheel.ts';
import { formatDuration } from '../../core/units/duration.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import { FailureWindow, NOTES_IN_WINDOW } from './failure-window.ts';

/** Successes of an endpoint since the start, over all workers. */
export interface Successes {
  readonly dials: number;
  /** Answers below 500. */
  readonly answers: number;
  /** Answers of 500 to 599, which were well-formed. */
  readonly serverErrors: number;
}

type Failure = Pick<EndpointFailure, 'kind' | 'count' | 'client'>;

/** Ends ejections; a `LoopWheel` does. */
type EjectionWheel = Pick<LoopWheel, 'arm' | 'disarm'>;

/** A count over all endpoints of a cluster, for one kind of failure. */
interface Survey {
  readonly at: number;
  readonly successes: ReadonlyMap<EndpointRecord, number>;
  /** Client networks that have met failures. Endpoints without any are missing in both maps. */
  readonly clients: ReadonlyMap<EndpointRecord, number>;
}

/** Failures of one kind in a row, and within the window. */
interface Run {
  failures: number;
  /** The successes at the last failure. If there are more at the next one, the failures are not in a row. */
  successes: number;
  readonly window: FailureWindow;
}

/** The memory of one endpoint, made at its first failure. Its deadline is the end of the ejection in force. */
class Track extends Timed {
  readonly runs: Map<OutlierFailure, Run>;
  /** The failure that caused the last ejection. */
  ejectedFor: OutlierFailure | null = null;
  /** Ejections in a row. */
  ejections = 0;
  /** When the last ejection was over. */
  returnedAt = 0;
  /** When the ejection in force is over. */
  endsAt = 0;
  readonly #detector: OutlierDetector;
  readonly #record: EndpointRecord;

  constructor(detector: OutlierDetector, record: EndpointRecord, runs = new Map<OutlierFailure, Run>()) {
    super();
    this.#detector = detector;
    this.#record = record;
    this.runs = runs;
  }

  override expire(): void {
    this.#detector.return(this.#record, this);
  }
}

/**
 * Ejects endpoints that fail in a row, over all workers, for a time that grows with each ejection. After that time one
 * more failure ejects an endpoint again. At most a part of the cluster is ejected.
 *
 * Failed dials always count against the endpoint. Requests can provoke the other kinds, so these eject only
 * - when they have gone on for the whole window,
 * - to clients of several networks, each of which counts once: no client ejects an endpoint, however often it fails,
 * - who are at least as many as the endpoint's successes in the window,
 * - while the cluster's other endpoints have more successes than such clients: what fails everywhere is the request.
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
   * Notes a failure of an endpoint, and ejects the endpoint if it has failed too often.
   *
   * @param all the cluster's endpoints
   */
  failed(record: EndpointRecord, failure: Failure, all: readonly EndpointRecord[]): void {
    const { kind, count } = failure;
    const { failures, consecutiveFailures, ejectionMs, maxEjectionMs } = this.#settings;
    // A report may have been under way when the settings changed.
    if (!failures.includes(kind)) return;
    const track = this.#track(record);
    const run = this.#run(track, kind);
    const successes = this.#successesOf(record, kind);
    if (successes > run.successes) run.failures = 0;
    run.successes = successes;
    run.failures += count;
    const clients = kind === 'connect' ? null : this.#outlyingClients(record, run, failure, all);
    if (record.ejected || run.failures < consecutiveFailures || clients === 0 || !this.#mayEject(all)) return;
    // Each ejection time without a failure takes one ejection off the row.
    const forgiven = Math.floor((Date.now() - track.returnedAt) / ejectionMs);
    track.ejections = Math.max(0, track.ejections - forgiven) + 1;
    const ms = Math.min(maxEjectionMs, ejectionMs * track.ejections);
    track.ejectedFor = kind;
    this.#eject(track, ms);
    const those = clients === null ? '' : ` for ${clients} clients`;
    record.setEjected(
      true,
      `${run.failures} ${kind} failures in a row${those}; ejected for ${formatDuration(ms)}`,
    );
  }

  /** Takes over an endpoint from the detector of the previous configuration, with an ejection in force. */
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
    const { ejectedFor, ejections, returnedAt, endsAt } = track;
    Object.assign(copy, { ejectedFor, ejections, returnedAt });
    this.#tracks.set(record, copy);
    if (track.wheelTick >= 0) this.#eject(copy, Math.max(0, endsAt - Date.now()));
  }

  /** Forgets an endpoint that has been removed. */
  forget(record: EndpointRecord): void {
    const track = this.#tracks.get(record);
    if (track === undefined) return;
    this.#wheel.disarm(track);
    this.#tracks.delete(record);
  }

  /** Ends the ejection of an endpoint. */
  return(record: EndpointRecord, track: Track): void {
    for (const [kind, run] of track.runs) {
      run.failures = kind === track.ejectedFor ? this.#settings.consecutiveFailures - 1 : 0;
      run.window.clear();
    }
    track.returnedAt = Date.now();
    record.setEjected(false, 'its ejection is over');
  }

  stop(): void {
    for (const record of [...this.#tracks.keys()]) this.forget(record);
  }

  /**
   * Notes a failure that a client may have provoked.
   *
   * @returns the number of client networks with failures if these count against the endpoint, else 0
   */
  #outlyingClients(
    record: EndpointRecord,
    { window }: Run,
    { kind, client }: Failure,
    all: readonly EndpointRecord[],
  ): number {
    const now = Date.now();
    window.add(client, now);
    if (!window.isDue(now)) return 0;
    const { successes, clients } = this.#survey(kind, all, now);
    const own = successes.get(record) ?? 0;
    const lately = window.note({ own, others: sumOf(successes) - own }, now);
    const failing = window.clients(now);
    if (lately === null || failing < this.#settings.minClients || failing < lately.own) return 0;
    return lately.others > sumOf(clients) - (clients.get(record) ?? 0) ? failing : 0;
  }

  /** Counts over all endpoints of the cluster. Failures that follow soon use the same counts. */
  #survey(kind: OutlierFailure, all: readonly EndpointRecord[], now: number): Survey {
    const known = this.#surveys.get(kind);
    if (known !== undefined && now - known.at < this.#settings.windowMs / NOTES_IN_WINDOW / 2) return known;
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

  /** Returns the successes of an endpoint that speak against a kind of failure. */
  #successesOf(record: EndpointRecord, kind: OutlierFailure): number {
    // Each of these sums the pages of all workers when it is read.
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

  #run(track: Track, kind: OutlierFailure): Run {
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
