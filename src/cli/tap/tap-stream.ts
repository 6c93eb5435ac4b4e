/** Passes the stream of a tap, or a file, to the sinks. */
import { RecordingReader, type RecordLine } from '../../wire/recording/recording-reader.ts';
import type { HeaderRecord } from '../../wire/recording/records.ts';
import type { TapCounts } from './counts.ts';
import type { RecordRedactor } from './record-redactor.ts';
import type { RecordingFilter } from './recording-filter.ts';

/** Receives the lines of a tap: stdout, a file, or the sorter by session. */
export interface TapSink {
  /** Writes lines. Resolves when the sink can take more. @throws StartError if it can take no more */
  write(lines: readonly RecordLine[]): Promise<void>;
}

interface TapStreamOwner {
  readonly filter: RecordingFilter;
  /** Changes lines before any sink sees them. Null for lines that are already redacted. */
  readonly redactor: RecordRedactor | null;
  readonly counts: TapCounts;
  readonly sinks: readonly TapSink[];
  /** Max frames before the stream ends. Null for no limit. */
  readonly maxFrames: number | null;
  /** Called with the first line. */
  readonly onHeader: (header: HeaderRecord) => void;
}

export type StreamEnd =
  | { readonly kind: 'frames' }
  /** The proxy ended the tap. */
  | { readonly kind: 'done'; readonly reason: string }
  /** The stream ended. @property cut whether it ended within a line, which is dropped */
  | { readonly kind: 'end'; readonly cut: boolean };

/** The lines of one piece of the stream. */
interface PieceLines {
  readonly lines: readonly RecordLine[];
  /** The error of the line after them. Null if all lines are valid. */
  readonly fault: { readonly error: unknown } | null;
}

/**
 * Reads a stream to its end, and waits for the sinks.
 *
 * @throws Error if the stream fails, is not a recording, or has another version
 */
export async function readTap(stream: AsyncIterable<Uint8Array>, owner: TapStreamOwner): Promise<StreamEnd> {
  const reader = new RecordingReader();
  const chooser = new LineChooser(owner);
  const pass = async (lines: readonly RecordLine[]): Promise<void> => {
    const chosen = chooser.choose(lines);
    for (const sink of owner.sinks) await sink.write(chosen);
  };
  for await (const piece of stream) {
    const { lines, fault } = linesOf(reader, piece);
    await pass(lines);
    if (chooser.isFull) return { kind: 'frames' };
    if (fault !== null) throw fault.error;
  }
  const last = reader.end();
  if (last !== null) await pass([last]);
  const { doneReason } = chooser;
  return doneReason === null
    ? { kind: 'end', cut: reader.hasRest && last === null }
    : { kind: 'done', reason: doneReason };
}

/** Parses the lines of a piece up to a bad line. The lines before it are kept. */
function linesOf(reader: RecordingReader, piece: Uint8Array): PieceLines {
  const lines: RecordLine[] = [];
  try {
    for (const line of reader.push(piece)) lines.push(line);
    return { lines, fault: null };
  } catch (error) {
    return { lines, fault: { error } };
  }
}

/** Returns the original text of lines. */
export function textOf(lines: readonly RecordLine[]): string {
  return lines.map(({ text }) => `${text}\n`).join('');
}

/** Selects the lines to show, and counts them. */
class LineChooser {
  readonly #owner: TapStreamOwner;
  #hasHeader = false;
  /** Whether the max number of frames is reached. */
  isFull = false;
  /**
   * Why the proxy ended the tap. Null while the tap runs, and again if another recording follows in the same
   * stream.
   */
  doneReason: string | null = null;

  constructor(owner: TapStreamOwner) {
    this.#owner = owner;
  }

  choose(lines: readonly RecordLine[]): readonly RecordLine[] {
    const { redactor } = this.#owner;
    const chosen: RecordLine[] = [];
    for (const line of lines) {
      if (!this.#isChosen(line)) continue;
      const shown = redactor === null ? line : redactor.redact(line);
      if (shown !== null) chosen.push(shown);
    }
    return chosen;
  }

  #isChosen({ record }: RecordLine): boolean {
    if (this.isFull) return false;
    if (record === null) return true;
    const { counts, filter, maxFrames, onHeader } = this.#owner;
    if (!filter.passes(record)) return false;
    counts.add(record);
    this.isFull = maxFrames !== null && counts.frames >= maxFrames;
    this.doneReason = record.type === 'done' ? record.reason : null;
    if (record.type === 'tap' && !this.#hasHeader) {
      this.#hasHeader = true;
      onHeader(record);
    }
    return true;
  }
}
