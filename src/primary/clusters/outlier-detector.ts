import type { OutlierFailure, OutlierSettings } from '../../config/types/cluster.ts';
import { formatDuration } from '../../core/units/duration.ts';
import type { EndpointFailure } from '../../protocol/from-worker.ts';
import type { EndpointRecord } from './endpoint-record.ts';
import { FailureWindow, NOTES_IN_WINDOW } from './failure-window.ts';

/** What has gone well with an endpoint since the start, over all workers. */
export interface Successes {
  readonly dials: number;
  /** Answers below 500. */
  readonly answers: number;
  /** Answers of 500 to 599, which were well-formed. */
  readonly serverErrors: number;
}

type Failure = Pick<EndpointFailure, 'kind' | 'count' | 'client'>;

/** What is true of all endpoints of a cluster at a time, for one kind of failure. */
interface Survey {
  readonly at: number;
  readonly successes: ReadonlyMap<EndpointRecord, number>;
  /** Those that failures were met by. */
  readonly clients: ReadonlyMap<EndpointRecord, number>;
}

/** Failures of one kind in a row, and lately. */
interface Run {
  failures: number;
  /** What the successes were at the last failure: more of them later mean that it was not in a row. */
  successes: number;
  readonly window: FailureWindow;
}

/** What is remembered of one endpoint. */
interface Track {
  readonly runs: Map<OutlierFailure, Run>;
  /** What the last ejection was for. */
  ejectedFor: OutlierFailure | null;
  /** Ejections in a row, and when the last one was over. */
  ejections: number;
  returnedAt: number;
  /** When the one in force is over, and what brings the endpoint back then. */
  endsAt: number;
  timer: NodeJS.Timeout | null;
}

/**
 * Ejects endpoints that fail in a row, in whichever workers, for a time that grows with each ejection. After it one
 * failure more ejects them again. Never more than a part of the cluster is ejected.
 *
 * Failed dials are the endpoint's alone. The other kinds can be provoked by a request, so that they eject only
 * - when they have gone on for the whole window,
 * - to clients of several networks, each of which counts once: no client ejects an endpoint, however often it fails,
 * - who are at least as many as the endpoint's successes in the window,
 * - while the cluster's other endpoints have more successes than such clients: what fails everywhere is the request.
 */
export class OutlierDetector {
  readonly #settings: OutlierSettings;
  readonly #successes: (record: EndpointRecord) => Successes;
  readonly #tracks = new Map<EndpointRecord, Track>();
  readonly #surveys = new Map<OutlierFailure, Survey>();

  constructor(settings: OutlierSettings, successes: (record: EndpointRecord) => Successes) {
    this.#settings = settings;
    this.#successes = successes;
  }

  /**
   * An endpoint has failed.
   *
   * @param all the cluster's endpoints
   */
  failed(record: EndpointRecord, failure: Failure, all: readonly EndpointRecord[]): void {
    const { kind, count } = failure;
    const { failures, consecutiveFailures, ejectionMs, maxEjectionMs } = this.#settings;
    // One that was on its way when the settings changed.
    if (!failures.includes(kind)) return;
    const track = this.#track(record);
    const run = this.#run(track, kind);
    const successes = this.#successesOf(record, kind);
    if (successes > run.successes) run.failures = 0;
    run.successes = successes;
    run.failures += count;
    const clients = kind === 'connect' ? null : this.#outlyingClients(record, run, failure, all);
    if (record.ejected || run.failures < consecutiveFailures || clients === 0 || !this.#mayEject(all)) return;
    // Every ejection time that it has stood takes one of the former away.
    const forgiven = Math.floor((Date.now() - track.returnedAt) / ejectionMs);
    track.ejections = Math.max(0, track.ejections - forgiven) + 1;
    const ms = Math.min(maxEjectionMs, ejectionMs * track.ejections);
    track.ejectedFor = kind;
    this.#eject(record, track, ms);
    const those = clients === null ? '' : ` for ${clients} clients`;
    record.setEjected(
      true,
      `${run.failures} ${kind} failures in a row${those}; ejected for ${formatDuration(ms)}`,
    );
  }

  /** Goes on with an endpoint as the detector of its cluster's configuration before did, an ejection in force included. */
  inherit(record: EndpointRecord, other: OutlierDetector, known: EndpointRecord): void {
    this.forget(record);
    const track = other.#tracks.get(known);
    if (track === undefined) return;
    // Windows of another length are begun again.
    const { windowMs } = this.#settings;
    const runs = new Map(
      [...track.runs].map(([kind, run]) => [
        kind,
        windowMs === other.#settings.windowMs ? run : { ...run, window: new FailureWindow(windowMs) },
      ]),
    );
    const copy = { ...track, runs, timer: null };
    this.#tracks.set(record, copy);
    if (track.timer !== null) this.#eject(record, copy, Math.max(0, track.endsAt - Date.now()));
  }

  /** Forgets an endpoint that is no more. */
  forget(record: EndpointRecord): void {
    clearTimeout(this.#tracks.get(record)?.timer ?? undefined);
    this.#tracks.delete(record);
  }

  stop(): void {
    for (const record of [...this.#tracks.keys()]) this.forget(record);
  }

  /**
   * Notes a failure that a client may have provoked.
   *
   * @returns how many clients the endpoint fails, if that is to be held against the endpoint, else 0
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

  /** Looks at all endpoints of the cluster; what one failure has found serves for those that follow. */
  #survey(kind: OutlierFailure, all: readonly EndpointRecord[], now: number): Survey {
    const known = this.#surveys.get(kind);
    if (known !== undefined && now - known.at < this.#settings.windowMs / NOTES_IN_WINDOW / 2) return known;
    const survey = {
      at: now,
      successes: new Map(all.map((record) => [record, this.#successesOf(record, kind)])),
      clients: new Map(
        all.map((record) => [record, this.#tracks.get(record)?.runs.get(kind)?.window.clients(now) ?? 0]),
      ),
    };
    this.#surveys.set(kind, survey);
    return survey;
  }

  /** What of an endpoint shows that it does not fail in that way. */
  #successesOf(record: EndpointRecord, kind: OutlierFailure): number {
    const { dials, answers, serverErrors } = this.#successes(record);
    switch (kind) {
      case 'connect':
        return dials;
      case 'reset':
      case 'handshake':
        return answers + serverErrors;
      case '5xx':
        return answers;
    }
  }

  #mayEject(all: readonly EndpointRecord[]): boolean {
    const ejected = all.filter((record) => record.ejected).length;
    return (ejected + 1) * 100 <= all.length * this.#settings.maxEjectedPercent;
  }

  #eject(record: EndpointRecord, track: Track, ms: number): void {
    track.endsAt = Date.now() + ms;
    track.timer = setTimeout(() => this.#return(record, track), ms);
    track.timer.unref();
  }

  #return(record: EndpointRecord, track: Track): void {
    track.timer = null;
    for (const [kind, run] of track.runs) {
      run.failures = kind === track.ejectedFor ? this.#settings.consecutiveFailures - 1 : 0;
      run.window.clear();
    }
    track.returnedAt = Date.now();
    record.setEjected(false, 'its ejection is over');
  }

  #track(record: EndpointRecord): Track {
    let track = this.#tracks.get(record);
    if (track === undefined) {
      track = { runs: new Map(), ejectedFor: null, ejections: 0, returnedAt: 0, endsAt: 0, timer: null };
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
