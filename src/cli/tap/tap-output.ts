/** The file that a tap is recorded to. */
import { rename, rm, stat } from 'node:fs/promises';
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

/** @throws StartError if the file exists, or cannot be written */
export function openOutput(output: TapOutput): Promise<OpenOutput> {
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
    // With --force it may be a device.
    if (!this.#output.force) await rm(this.#output.file, { force: true });
  }
}

/**
 * An archive has the messages of a session beside each other, so it is made at the end, of a recording beside it. The
 * recording stays if that fails.
 */
class HarOutput implements OpenOutput {
  readonly sink: RecordingFile;
  readonly #file: string;
  readonly #isClaimed: boolean;

  private constructor({ file, force }: TapOutput, sink: RecordingFile) {
    this.sink = sink;
    this.#file = file;
    this.#isClaimed = !force;
  }

  /** Takes the name of the archive now: an hour of recording must not end with a file that exists. */
  static async open(output: TapOutput): Promise<HarOutput> {
    const { file, force } = output;
    if (force) await refuseDevice(file);
    else await (await RecordingFile.create(file, false)).close();
    try {
      return new HarOutput(output, await RecordingFile.create(recordingOf(file), force));
    } catch (error) {
      if (!force) await rm(file, { force: true });
      throw error;
    }
  }

  get isEmpty(): boolean {
    return this.sink.isEmpty;
  }

  async finish(signal: AbortSignal): Promise<string> {
    const recording = recordingOf(this.#file);
    const made = `${this.#file}.part`;
    try {
      await this.sink.close();
      await rm(made, { force: true });
      const result = await writeHar(recording, made, signal);
      await rename(made, this.#file);
      await rm(recording);
      return `recorded in ${this.#file}${notesOf(result)}`;
    } catch (error) {
      await rm(made, { force: true });
      await this.#giveBack();
      const why = signal.aborted ? 'interrupted' : messageOf(error);
      throw new StartError(
        `cannot write ${this.#file}: ${why}; try again by sluice tap --from ${recording} --output ${this.#file}`,
        { cause: error },
      );
    }
  }

  async abandon(): Promise<void> {
    await this.sink.close();
    await rm(recordingOf(this.#file), { force: true });
    await this.#giveBack();
  }

  async #giveBack(): Promise<void> {
    if (this.#isClaimed) await rm(this.#file, { force: true });
  }
}

function recordingOf(har: string): string {
  return `${har}.part.jsonl`;
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
