/** From the stream of a tap, or a file, to those that take its lines. */
import { RECORDING_VERSION, type HeaderRecord } from '../../wire/recording/records.ts';
import type { TapCounts } from './counts.ts';
import { LineSplitter, parseLine } from './record-lines.ts';
import type { RecordingFilter } from './recording-filter.ts';
import type { TapLine, TapSink } from './tap-sink.ts';

interface TapStreamOwner {
  readonly filter: RecordingFilter;
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

/**
 * Reads a stream to its end, and waits for those that take its lines.
 *
 * @throws Error if the stream is no recording, or of a later version, or if it fails
 */
export async function readTap(stream: AsyncIterable<Uint8Array>, owner: TapStreamOwner): Promise<StreamEnd> {
  const splitter = new LineSplitter();
  const reader = new BatchReader(owner);
  for await (const piece of stream) {
    const lines = reader.read(splitter.push(piece));
    for (const sink of owner.sinks) await sink.write(lines);
    if (reader.end !== null) return reader.end;
  }
  return { kind: 'end', cut: splitter.hasRest };
}

class BatchReader {
  readonly #owner: TapStreamOwner;
  #isFirst = true;
  /** Why the stream is over; null while it is not. */
  end: StreamEnd | null = null;

  constructor(owner: TapStreamOwner) {
    this.#owner = owner;
  }

  read(texts: readonly string[]): readonly TapLine[] {
    const lines: TapLine[] = [];
    for (const text of texts) {
      if (this.end !== null) break;
      const line = this.#line(text);
      if (line !== null) lines.push(line);
    }
    return lines;
  }

  #line(text: string): TapLine | null {
    const record = parseLine(text);
    if (this.#isFirst) {
      this.#isFirst = false;
      if (record?.type !== 'tap') throw new Error('the first line is not that of a recording');
      const version: number = record.version;
      if (version !== RECORDING_VERSION) {
        throw new Error(`the lines have version ${version}, this command reads ${RECORDING_VERSION}`);
      }
      this.#owner.onHeader(record);
      return { text, record };
    }
    if (record === null) return { text, record };
    const { counts, filter, maxFrames } = this.#owner;
    if (!filter.passes(record)) return null;
    counts.add(record);
    if (record.type === 'done') this.end = { kind: 'done', reason: record.reason };
    if (maxFrames !== null && counts.frames >= maxFrames) this.end = { kind: 'frames' };
    return { text, record };
  }
}
