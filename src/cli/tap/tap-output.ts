/** The file that a tap is recorded to. */
import { lstat, rename, rm, stat } from 'node:fs/promises';
import { StartError, messageOf } from '../../core/errors.ts';
import { writeHar, type HarResult } from './har/har-writer.ts';
import { RecordingFile } from './recording-file.ts';
import type { TapOutput } from './tap-options.ts';
import type { TapSink } from './tap-stream.ts';

export interface OpenOutput {
  readonly sink: TapSink;
  /** Whether the sink has received nothing. */
  readonly isEmpty: boolean;
  /**
   * Completes the file.
   *
   * @param signal aborts the work
   * @returns a phrase about the recording, for the summary
   * @throws StartError if the file is not writable
   */
  finish(signal: AbortSignal): Promise<string>;
  /** Removes the file, because nothing was recorded. */
  abandon(): Promise<void>;
}

/**
 * Opens the output of a tap.
 *
 * @param from the recording that is read; null for a live tap
 * @throws StartError if the file exists, is not writable, or is the recording that is read
 */
export async function openOutput(output: TapOutput, from: string | null): Promise<OpenOutput> {
  if (from !== null && (await isSameFile(from, output.file))) {
    throw new StartError('--from and --output name the same file');
  }
  return output.format === 'har' ? HarOutput.open(output) : RecordingOutput.open(output);
}

class RecordingOutput implements OpenOutput {
  readonly sink: RecordingFile;
  readonly #output: TapOutput;

  private constructor(output: TapOutput, sink: RecordingFile) {
    this.sink = sink;
    this.#output = output;
  }

  static async open(output: TapOutput): Promise<RecordingOutput> {
    return new RecordingOutput(output, await RecordingFile.create(output.file, output.force));
  }

  get isEmpty(): boolean {
    return this.sink.isEmpty;
  }

  async finish(): Promise<string> {
    await this.sink.close();
    return `recorded in ${this.#output.file}`;
  }

  async abandon(): Promise<void> {
    await this.sink.close();
    // A file that already existed keeps its contents.
    if (this.sink.isNew) await rm(this.#output.file, { force: true });
  }
}

/**
 * Writes an archive. It groups the messages of each session, so it is made at the end from a temporary
 * recording in the same folder. The recording stays if that fails.
 */
class HarOutput implements OpenOutput {
  readonly sink: RecordingFile;
  readonly #output: TapOutput;
  readonly #recording: string;

  private constructor(output: TapOutput, sink: RecordingFile, recording: string) {
    this.sink = sink;
    this.#output = output;
    this.#recording = recording;
  }

  /** Reserves the archive's name at the start. An hour of recording must not fail because the file exists. */
  static async open(output: TapOutput): Promise<HarOutput> {
    const { file, force } = output;
    if (force) await refuseDevice(file);
    else await (await RecordingFile.create(file, false)).close();
    try {
      const recording = await freeName(`${file}.part`, '.jsonl');
      return new HarOutput(output, await RecordingFile.create(recording, false), recording);
    } catch (error) {
      if (!force) await rm(file, { force: true });
      throw error;
    }
  }

  get isEmpty(): boolean {
    return this.sink.isEmpty;
  }

  async finish(signal: AbortSignal): Promise<string> {
    const { file, force } = this.#output;
    const made = await freeName(`${file}.part`, '');
    try {
      await this.sink.close();
      const result = await writeHar(this.#recording, made, signal);
      await rename(made, file);
      await rm(this.#recording);
      return `recorded in ${file}${notesOf(result)}`;
    } catch (error) {
      await rm(made, { force: true });
      await this.#removeOutput();
      const why = signal.aborted ? 'interrupted' : messageOf(error);
      const again = `sluice tap --from ${this.#recording} --output ${file}${force ? ' --force' : ''}`;
      throw new StartError(`cannot write ${file}: ${why}; try again by ${again}`, { cause: error });
    }
  }

  async abandon(): Promise<void> {
    await this.sink.close();
    await rm(this.#recording, { force: true });
    await this.#removeOutput();
  }

  async #removeOutput(): Promise<void> {
    if (!this.#output.force) await rm(this.#output.file, { force: true });
  }
}

/**
 * Finds a free name. A killed process may have left a recording, possibly the one being read now: it is never
 * replaced.
 */
async function freeName(start: string, end: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? `${start}${end}` : `${start}-${number}${end}`;
    if ((await lstat(name).catch(() => null)) === null) return name;
  }
}

/** Compares inodes, because links give a file several names. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((name) => stat(name).catch(() => null)));
  return one?.isFile() === true && one.dev === other?.dev && one.ino === other.ino;
}

/** Refuses a device: the archive replaces the file by a rename, which would destroy it. */
async function refuseDevice(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found !== null && !found.isFile())
    throw new StartError(`cannot write ${file}: it is not a regular file`);
}

function notesOf({ incomplete, tunnels }: HarResult): string {
  const notes = [
    incomplete > 0 ? `${incomplete} messages without their whole payload` : null,
    tunnels > 0 ? `tunnels left out: ${tunnels}` : null,
  ].filter((note) => note !== null);
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`;
}
