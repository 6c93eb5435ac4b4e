import { isatty } from 'node:tty';
import { messageOf } from '../../core/errors.ts';
import {
  LogOutput,
  MAX_WAITING_BYTES,
  type OutputOptions,
  type OutputName,
  type OutputTrouble,
  type DestinationSettings,
} from './log-output.ts';
import type { SizeLimits } from './file-destination.ts';
import { PrettyLines } from './pretty-lines.ts';
import { printable } from './printable.ts';
import { systemFiles } from './system-files.ts';
import { isForPeople, styleOf, type LogFormat } from './terminal.ts';

/** Standard output moves to another descriptor, and these paths would lead to its old place. */
const STANDARD_OUTPUT: ReadonlySet<string> = new Set(['/dev/stdout', '/dev/fd/1', '/proc/self/fd/1']);

/** The log settings that outputs need. */
export interface OutputSettings extends DestinationSettings {
  readonly format: LogFormat;
  /** The access log. Null without one. If it has no file, its lines go to the log. */
  readonly access: (SizeLimits & { readonly file: string | null }) | null;
}

/** State of an output. */
interface OutputState {
  readonly log: OutputName;
  /** Path of the file. Null for standard output. */
  readonly file: string | null;
  /** Lines lost since the start. */
  readonly dropped: number;
  /** Why writing fails now. Null if no failure is known. */
  readonly problem: string | null;
}

/** Result of reopening the file of an output. */
interface Reopened {
  readonly log: OutputName;
  readonly file: string;
  /** Why the old file stays in use. Null on success. */
  readonly problem: string | null;
}

/** A prepared change of all outputs. */
export interface OutputsChange {
  commit(): void;
  abort(): void;
}

type Destinations = Readonly<Record<OutputName, DestinationSettings | null>> & {
  readonly log: DestinationSettings;
};

/** The log of all threads, and the access log if it has its own file. Both receive complete lines. */
export class LogOutputs {
  readonly #options: OutputOptions;
  #mayRotate = true;
  #pretty: PrettyLines | null;
  readonly #log: LogOutput;
  /** Null while the access log has no separate file. */
  #access: LogOutput | null;
  /** Former access logs that still hold lines. */
  readonly #retired = new Set<LogOutput>();
  /** Lines lost by former access logs. */
  #accessLostBefore = 0;

  /**
   * @param onTrouble called when an output fails, and when it works again
   * @throws StartError if a file cannot be opened
   */
  constructor(
    settings: OutputSettings,
    onTrouble: (trouble: OutputTrouble) => void,
    options: Partial<OutputOptions> = {},
  ) {
    this.#options = {
      files: systemFiles,
      clock: () => performance.now(),
      schedule,
      stdout: 1,
      maxWaitingBytes: MAX_WAITING_BYTES,
      ...options,
      mayRotate: () => this.#mayRotate,
      onTrouble,
    };
    const { log, access } = destinationsOf(settings);
    this.#log = new LogOutput('log', log, this.#options);
    this.#access = access === null ? null : new LogOutput('access', access, this.#options);
    this.#pretty = this.#prettyOf(settings);
  }

  get states(): readonly OutputState[] {
    return this.#outputs.map(({ name: log, file, problem }) => ({
      log,
      file,
      problem,
      dropped: this.dropped[log],
    }));
  }

  /** Lines lost since the start because they could not be written or were not read fast enough. */
  get dropped(): Readonly<Record<OutputName, number>> {
    return { log: this.#log.dropped, access: this.#accessLostBefore + (this.#access?.dropped ?? 0) };
  }

  /** Whether this process rotates files by size. During a takeover only one of the two processes does. */
  set mayRotate(may: boolean) {
    this.#mayRotate = may;
  }

  /** Writes complete lines to the log, each with its newline: JSON, or access lines in any format. */
  write(lines: string): void {
    this.#log.write(this.#pretty === null ? printable(lines) : this.#pretty.format(lines));
  }

  /**
   * Writes complete lines to the access log's own file. If a reload removed that file, the lines go to the
   * log.
   */
  writeAccess(lines: string): void {
    if (this.#access === null) this.write(lines);
    else this.#access.write(printable(lines));
  }

  /** Writes text for people, which is not a log line. */
  writeText(text: string): void {
    this.#log.write(text);
  }

  /**
   * Reopens all files after log rotation moved them. If a file cannot be opened, the old one stays in use.
   */
  reopen(): readonly Reopened[] {
    return this.#outputs.flatMap((output): Reopened[] => {
      if (output.file === null) return [];
      const { name: log, file } = output;
      try {
        output.reopen();
        return [{ log, file, problem: null }];
      } catch (error) {
        return [{ log, file, problem: messageOf(error) }];
      }
    });
  }

  /**
   * Opens the files of other settings.
   *
   * @throws StartError if one cannot be opened; nothing has changed then
   */
  prepare(settings: OutputSettings): OutputsChange {
    const { log, access } = destinationsOf(settings);
    const logChange = this.#log.prepare(log);
    try {
      const accessChange = this.#prepareAccess(access);
      return {
        commit: () => {
          logChange.commit();
          accessChange.commit();
          this.#pretty = this.#prettyOf(settings);
        },
        abort: () => {
          logChange.abort();
          accessChange.abort();
        },
      };
    } catch (error) {
      logChange.abort();
      throw error;
    }
  }

  /**
   * Writes the waiting text and accepts no more.
   *
   * @returns whether all text was written in time; if not, an ordinary exit may hang on the write
   */
  async close(timeoutMs: number): Promise<boolean> {
    const outputs = [...this.#outputs, ...this.#retired];
    const written = await Promise.all(outputs.map((output) => output.close(timeoutMs)));
    return written.every(Boolean);
  }

  get #outputs(): readonly LogOutput[] {
    return this.#access === null ? [this.#log] : [this.#log, this.#access];
  }

  #prepareAccess(place: DestinationSettings | null): OutputsChange {
    const current = this.#access;
    if (current !== null && place !== null) return current.prepare(place);
    const next = place === null ? null : new LogOutput('access', place, this.#options);
    return {
      commit: () => {
        this.#access = next;
        if (current === null) return;
        const { dropped } = current;
        this.#accessLostBefore += dropped;
        this.#retired.add(current);
        void current.close(RETIRE_MS).then(() => {
          this.#retired.delete(current);
          this.#accessLostBefore += current.dropped - dropped;
        });
      },
      abort: () => void next?.close(0),
    };
  }

  #prettyOf(settings: OutputSettings): PrettyLines | null {
    const fd = descriptorOf(settings, this.#options.stdout);
    return isForPeople(settings.format, fd) ? new PrettyLines(styleOf(fd)) : null;
  }
}

/**
 * Reports whether the log goes to a person at a terminal.
 *
 * @param stdout the descriptor of standard output
 */
export function isAtTerminal(settings: OutputSettings, stdout: number): boolean {
  const fd = descriptorOf(settings, stdout);
  return fd !== null && isatty(fd) && isForPeople(settings.format, fd);
}

/** Returns the descriptor of the log. Null for a file. */
function descriptorOf({ file }: OutputSettings, stdout: number): number | null {
  return normal(file) === null ? stdout : null;
}

/** Time for the last lines of an access log that a reload removed. */
const RETIRE_MS = 5000;

/**
 * Resolves the settings to outputs. Two outputs with the same destination are merged: two writers would mix
 * their lines and rotate each other's file.
 */
function destinationsOf({ file, maxSizeBytes, keep, access }: OutputSettings): Destinations {
  const log = { file: normal(file), maxSizeBytes, keep };
  const own = access?.file ?? null;
  if (access === null || own === null || normal(own) === log.file) return { log, access: null };
  return { log, access: { file: normal(own), maxSizeBytes: access.maxSizeBytes, keep: access.keep } };
}

function normal(file: string | null): string | null {
  return file !== null && STANDARD_OUTPUT.has(file) ? null : file;
}

function schedule(delayMs: number, act: () => void): () => void {
  const timer = setTimeout(act, delayMs);
  return () => clearTimeout(timer);
}
