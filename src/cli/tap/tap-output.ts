/** The file that a tap is recorded to. */
import { rm } from 'node:fs/promises';
import { RecordingFile } from './recording-file.ts';
import type { TapOutput } from './tap-options.ts';
import type { TapSink } from './tap-sink.ts';

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
export async function openOutput({ file, force }: TapOutput): Promise<OpenOutput> {
  const recording = await RecordingFile.create(file, force);
  return {
    sink: recording,
    get isEmpty() {
      return recording.isEmpty;
    },
    finish: async () => {
      await recording.close();
      return `recorded in ${file}`;
    },
    abandon: async () => {
      await recording.close();
      // A device that was named with --force stays.
      if (!force) await rm(file, { force: true });
    },
  };
}
