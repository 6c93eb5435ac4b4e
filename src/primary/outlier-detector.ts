import type { OutlierSettings } from '../config/types.ts';
import { formatDuration } from '../core/duration.ts';
import type { EndpointRecord } from './endpoint-record.ts';

/** What is remembered of one endpoint. */
interface Track {
  /** Failures in a row. */
  failures: number;
  /** What its connects were at the last failure: more of them later mean that it was not in a row. */
  connects: number;
  /** Ejections in a row, and when the last one was over. */
  ejections: number;
  returnedAt: number;
  /** When the one in force is over, and what brings the endpoint back then. */
  endsAt: number;
  timer: NodeJS.Timeout | null;
}

/**
 * Ejects endpoints whose dials or handshakes fail in a row, in whichever workers, for a time that grows with each
 * ejection. After it one failure more ejects them again. Never more than a part of the cluster is ejected.
 */
export class OutlierDetector {
  readonly #settings: OutlierSettings;
  readonly #tracks = new Map<EndpointRecord, Track>();

  constructor(settings: OutlierSettings) {
    this.#settings = settings;
  }

  /**
   * An endpoint has failed.
   *
   * @param connects what has gone well with it since the start, over all workers
   * @param all the cluster's endpoints
   */
  failed(record: EndpointRecord, connects: number, all: readonly EndpointRecord[]): void {
    const track = this.#track(record);
    if (connects > track.connects) track.failures = 0;
    track.connects = connects;
    track.failures++;
    if (record.ejected || track.failures < this.#settings.consecutiveFailures || !this.#mayEject(all)) return;
    const { ejectionMs, maxEjectionMs } = this.#settings;
    // Every ejection time that it has stood takes one of the former away.
    const forgiven = Math.floor((Date.now() - track.returnedAt) / ejectionMs);
    track.ejections = Math.max(0, track.ejections - forgiven) + 1;
    const ms = Math.min(maxEjectionMs, ejectionMs * track.ejections);
    this.#eject(record, track, ms);
    record.setEjected(true, `${track.failures} failures in a row; ejected for ${formatDuration(ms)}`);
  }

  /** Goes on with an endpoint as the detector of its cluster's configuration before did, an ejection in force included. */
  inherit(record: EndpointRecord, other: OutlierDetector, known: EndpointRecord): void {
    this.forget(record);
    const track = other.#tracks.get(known);
    if (track === undefined) return;
    const copy = { ...track, timer: null };
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
    track.failures = this.#settings.consecutiveFailures - 1;
    track.returnedAt = Date.now();
    record.setEjected(false, 'its ejection is over');
  }

  #track(record: EndpointRecord): Track {
    let track = this.#tracks.get(record);
    if (track === undefined) {
      track = { failures: 0, connects: 0, ejections: 0, returnedAt: 0, endsAt: 0, timer: null };
      this.#tracks.set(record, track);
    }
    return track;
  }
}
