import { DescriptorDestination } from './descriptor-destination.ts';
import { FileDestination, type SizeLimits } from './file-destination.ts';
import { LineWriter } from './line-writer.ts';
import type { OutputFiles } from './output-files.ts';

/** Max log text waiting for a slow reader. Lines above it are dropped and counted. */
export const MAX_WAITING_BYTES = 8 * 1024 * 1024;
/** Time for a destination to take its last lines after a reload replaced it. */
const RETIRE_MS = 5000;

/** `log`: the lines of all threads. `access`: the access log's own file. */
export type OutputName = 'log' | 'access';

export interface DestinationSettings extends SizeLimits {
  /** Absolute path of a file. Null for standard output. */
  readonly file: string | null;
}

/** A change in the state of an output. */
export type OutputTrouble =
  | { readonly kind: 'failed'; readonly log: OutputName; readonly reason: string }
  /** `dropped`: lines lost since the failure. */
  | { readonly kind: 'recovered'; readonly log: OutputName; readonly dropped: number }
  | { readonly kind: 'rotation'; readonly log: OutputName; readonly file: string; readonly reason: string };

export interface OutputOptions {
  readonly files: OutputFiles;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  /** Calls back after a delay. Returns a function that cancels the call. */
  readonly schedule: (delayMs: number, act: () => void) => () => void;
  /** Descriptor of standard output. */
  readonly stdout: number;
  readonly maxWaitingBytes: number;
  /** Whether this process rotates files. */
  readonly mayRotate: () => boolean;
  /** Called when an output fails, and when it works again. */
  readonly onTrouble: (trouble: OutputTrouble) => void;
}

/** A prepared change of an output's destination. */
interface OutputChange {
  /** Applies the change. */
  commit(): void;
  /** Discards the change. */
  abort(): void;
}

/** One output of lines. Its destination can change. */
export class LogOutput {
  readonly name: OutputName;
  readonly #options: OutputOptions;
  #settings: DestinationSettings;
  #writer: LineWriter;
  /** Writers of former destinations that still hold lines. */
  readonly #retired = new Set<LineWriter>();
  /** Lines lost by former destinations. */
  #lostBefore = 0;
  #droppedAtFailure = 0;

  /** @throws StartError if the file cannot be opened */
  constructor(name: OutputName, place: DestinationSettings, options: OutputOptions) {
    this.name = name;
    this.#options = options;
    this.#settings = place;
    this.#writer = this.#open(place.file);
  }

  /** Path of the file. Null for standard output. */
  get file(): string | null {
    return this.#writer.path;
  }

  /** Number of lines lost because they could not be written, or were not read fast enough. */
  get dropped(): number {
    let sum = this.#lostBefore + this.#writer.dropped;
    for (const writer of this.#retired) sum += writer.dropped;
    return sum;
  }

  /** Why writing fails now. Null if no failure is known. */
  get problem(): string | null {
    return this.#writer.problem;
  }

  /** Writes whole entries. */
  write(text: string): void {
    this.#writer.write(text);
  }

  /**
   * Reopens the file at its path.
   *
   * @throws StartError if that fails; the old file then stays in use
   */
  reopen(): void {
    this.#writer.reopen();
  }

  /**
   * Opens another destination, used from the commit on. Waiting lines still go to the old one.
   *
   * @throws StartError if the file cannot be opened
   */
  prepare(place: DestinationSettings): OutputChange {
    const isSame = place.file === this.#settings.file;
    const next = isSame ? this.#writer : this.#open(place.file);
    return {
      commit: () => {
        this.#settings = place;
        if (isSame) return;
        this.#retire(this.#writer);
        this.#writer = next;
      },
      abort: () => void (isSame || next.close(0)),
    };
  }

  /** Writes the waiting lines and accepts no more. Returns whether all were written in time. */
  async close(timeoutMs: number): Promise<boolean> {
    const closed = [this.#writer, ...this.#retired].map((writer) => writer.close(timeoutMs));
    return (await Promise.all(closed)).every(Boolean);
  }

  #open(file: string | null): LineWriter {
    const { files, clock, stdout, schedule, mayRotate, maxWaitingBytes, onTrouble } = this.#options;
    const log = this.name;
    const destination =
      file === null
        ? new DescriptorDestination(stdout)
        : new FileDestination(
            { path: file, key: log === 'log' ? 'log.file' : 'log.access.file' },
            {
              files,
              clock,
              mayRotate,
              limits: () => this.#settings,
              onRotationFailed: (path, reason) => onTrouble({ kind: 'rotation', log, file: path, reason }),
            },
          );
    const options = { files, clock, schedule, onChange: (reason: string | null) => this.#changed(reason) };
    return new LineWriter(destination, options, maxWaitingBytes);
  }

  #changed(reason: string | null): void {
    const { onTrouble } = this.#options;
    const log = this.name;
    if (reason === null) {
      onTrouble({ kind: 'recovered', log, dropped: this.dropped - this.#droppedAtFailure });
    } else {
      this.#droppedAtFailure = this.dropped;
      onTrouble({ kind: 'failed', log, reason });
    }
  }

  #retire(writer: LineWriter): void {
    this.#retired.add(writer);
    void writer.close(RETIRE_MS).then(() => {
      this.#retired.delete(writer);
      this.#lostBefore += writer.dropped;
    });
  }
}
