import type { TapRecord } from '../../wire/recording/records.ts';

/** A line of a recording. */
export interface TapLine {
  /** As it came, without the newline at its end. */
  readonly text: string;
  /** Null for a type that this version does not know. */
  readonly record: TapRecord | null;
}

/** What takes the lines of a tap. */
export interface TapSink {
  /** Takes lines. Resolves when it can take more. */
  write(lines: readonly TapLine[]): Promise<void>;
}
