/** From the stream of a tap, or a file, to those that take its lines. */
import { RecordingReader, type RecordLine } from '../../wire/recording/recording-reader.ts';
import type { HeaderRecord } from '../../wire/recording/records.ts';
import type { TapCounts } from './counts.ts';
import type { RecordRedactor } from './record-redactor.ts';
import type { RecordingFilter } from './recording-filter.ts';

/** What takes the lines of a tap: the standard output, a file, or what sorts them by session. */
export interface TapSink {
  /** Takes lines. Resolves when it can take more. @throws StartError if it can take none */
  write(lines: readonly RecordLine[]): Promise<void>;
}

interface TapStreamOwner {
  readonly filter: RecordingFilter;
  /** Changes the lines before anybody has them; null for lines that are redacted already. */
  readonly redactor: RecordRedactor | null;
  readonly counts: TapCounts;
  readonly sinks: readonly TapSink[];
  /** Frames after which the stream ends; null for no limit. */
  readonly maxFrames: number | null;
  /** Called with the first line. */
  readonly onHeader: (header: HeaderRecord) => void;
}

export type StreamEnd =
  | { readonly kind: 'frames' }
  /** The proxy has ended the tap. */
  | { readonly kind: 'done'; readonly reason: string }
  /** The stream is over. @property cut whether in the middle of a line, which nobody gets */
  | { readonly kind: 'end'; readonly cut: boolean };

/** The lines of a piece of a stream. */
interface PieceLines {
  readonly lines: readonly RecordLine[];
  /** What the line behind them is refused for; null if all are good. */
  readonly fault: { readonly error: unknown } | null;
}

/**
 * Reads a stream to its end, and waits for those that take its lines.
 *
 * @throws Error if the stream is no recording, or of another version, or if it fails
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

/** Reads the lines of a piece up to a bad one: those before it are good. */
function linesOf(reader: RecordingReader, piece: Uint8Array): PieceLines {
  const lines: RecordLine[] = [];
  try {
    for (const line of reader.push(piece)) lines.push(line);
    return { lines, fault: null };
  } catch (error) {
    return { lines, fault: { error } };
  }
}

/** Returns lines as they came. */
export function textOf(lines: readonly RecordLine[]): string {
  return lines.map(({ text }) => `${text}\n`).join('');
}

/** Chooses the lines that are shown, and counts them. */
class LineChooser {
  readonly #owner: TapStreamOwner;
  #hasHeader = false;
  /** Whether there are as many frames as are wanted. */
  isFull = false;
  /** Why the proxy has ended the tap; null if it has not. Several recordings may stand behind each other. */
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
