/** The file that a tap is recorded to. */
import { lstat, rename, rm, stat } from 'node:fs/promises';
import { StartError, messageOf } from '../../core/errors.ts';
import { writeHar, type HarResult } from './har/har-writer.ts';
import { RecordingFile } from './recording-file.ts';
import type { TapOutput } from './tap-options.ts';
import type { TapSink } from './tap-stream.ts';

export interface OpenOutput {
  readonly sink: TapSink;
  /** Whether the sink has taken nothing. */
  readonly isEmpty: boolean;
  /**
   * Completes the file.
   *
   * @param signal gives up
   * @returns what was recorded, for the summary
   * @throws StartError if the file cannot be written
   */
  finish(signal: AbortSignal): Promise<string>;
  /** Removes the file: nothing was recorded. */
  abandon(): Promise<void>;
}

/**
 * Opens what a tap is recorded to.
 *
 * @param from the recording that is read; null for a tap
 * @throws StartError if the file exists, cannot be written, or is the recording
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
    // A file that was there before keeps what it had.
    if (this.sink.isNew) await rm(this.#output.file, { force: true });
  }
}

/**
 * An archive has the messages of a session beside each other, so it is made at the end, of a recording beside it. The
 * recording stays if that fails.
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

  /** Takes the name of the archive now: an hour of recording must not end with a file that exists. */
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
      await this.#giveBack();
      const why = signal.aborted ? 'interrupted' : messageOf(error);
      const again = `sluice tap --from ${this.#recording} --output ${file}${force ? ' --force' : ''}`;
      throw new StartError(`cannot write ${file}: ${why}; try again by ${again}`, { cause: error });
    }
  }

  async abandon(): Promise<void> {
    await this.sink.close();
    await rm(this.#recording, { force: true });
    await this.#giveBack();
  }

  async #giveBack(): Promise<void> {
    if (!this.#output.force) await rm(this.#output.file, { force: true });
  }
}

/** A process that was killed has left its recording behind, which may be what is read now: it is never replaced. */
async function freeName(start: string, end: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? `${start}${end}` : `${start}-${number}${end}`;
    if ((await lstat(name).catch(() => null)) === null) return name;
  }
}

/** Links have several names. */
async function isSameFile(a: string, b: string): Promise<boolean> {
  const [one, other] = await Promise.all([a, b].map((name) => stat(name).catch(() => null)));
  return one?.isFile() === true && one.dev === other?.dev && one.ino === other.ino;
}

/** A file takes the place of what has its name: a device must not be lost. */
async function refuseDevice(file: string): Promise<void> {
  const found = await stat(file).catch(() => null);
  if (found !== null && !found.isFile()) throw new StartError(`cannot write ${file}: it is no regular file`);
}

function notesOf({ incomplete, tunnels }: HarResult): string {
  const notes = [
    incomplete > 0 ? `${incomplete} messages without their whole payload` : null,
    tunnels > 0 ? `tunnels left out: ${tunnels}` : null,
  ].filter((note) => note !== null);
  return notes.length === 0 ? '' : ` (${notes.join(', ')})`;
}
