/** Reads a recording line by line, from a file or a stream. */
import { checkRecord } from './record-fields.ts';
import { RECORDING_VERSION, type TapRecord } from './records.ts';

/** Max characters of a line. A payload of 64 KiB takes at most 400,000 as JSON. */
const MAX_LINE_CHARACTERS = 1024 * 1024;

/** A fault in a recording. The message starts with the line number. */
export class RecordingError extends Error {
  override readonly name = 'RecordingError';

  constructor(line: number, fault: string) {
    super(`line ${line}: ${fault}`);
  }
}

/** A line of a recording. */
export interface RecordLine {
  /** The line without its end. */
  readonly text: string;
  /** Null for a record type that this version does not know. */
  readonly record: TapRecord | null;
}

/** Takes a recording in pieces, and keeps an incomplete line. */
export class RecordingReader {
  readonly #decoder = new TextDecoder();
  /** Start of an incomplete line. */
  #rest = '';
  /** Number of the last whole line. */
  #line = 0;
  #hasHeader = false;

  /** Whether a line is incomplete. */
  get hasRest(): boolean {
    return this.#rest.trim() !== '';
  }

  /**
   * Yields the lines that a piece completes. Skips empty lines, which a live tap sends to detect a closed
   * reader. Consume all lines before pushing the next piece.
   *
   * @throws RecordingError at the first line that is not a record, after yielding earlier lines
   */
  *push(piece: Uint8Array): Generator<RecordLine, void> {
    const texts = (this.#rest + this.#decoder.decode(piece, { stream: true })).split('\n');
    this.#rest = texts.pop() ?? '';
    for (const text of texts) {
      const line = this.#read(text);
      if (line !== null) yield line;
    }
    if (this.#rest.length > MAX_LINE_CHARACTERS) throw new RecordingError(this.#line + 1, TOO_LONG);
  }

  /**
   * Returns the last line if only its line end is missing. Drops a truncated line, such as after a full disk.
   *
   * @throws RecordingError if the line is whole but not a record, or if the recording is empty
   */
  end(): RecordLine | null {
    const text = this.#rest;
    if (this.hasRest && isJson(text)) return this.#read(text);
    if (!this.#hasHeader) throw new RecordingError(1, NO_HEADER);
    return null;
  }

  #read(text: string): RecordLine | null {
    this.#line += 1;
    if (text.length > MAX_LINE_CHARACTERS) throw new RecordingError(this.#line, TOO_LONG);
    if (text.trim() === '') return null;
    const { record, fault } = check(text);
    if (fault !== null) throw new RecordingError(this.#line, fault);
    if (record?.type === 'tap') this.#checkHeader(record.version);
    if (!this.#hasHeader) throw new RecordingError(this.#line, NO_HEADER);
    return { text, record };
  }

  /** Checks the version of a header. A file may hold several recordings in a row, each with its header. */
  #checkHeader(version: number): void {
    if (version !== RECORDING_VERSION) {
      throw new RecordingError(
        this.#line,
        `the recording has version ${version}, and this sluice reads version ${RECORDING_VERSION}: use the sluice that wrote it`,
      );
    }
    this.#hasHeader = true;
  }
}

const TOO_LONG = `more than ${MAX_LINE_CHARACTERS} characters: not a recording of sluice tap`;
const NO_HEADER =
  'the first line is not the header of a recording ({"type":"tap",...}): use a file of sluice tap --output';

function check(text: string): ReturnType<typeof checkRecord> {
  try {
    return checkRecord(JSON.parse(text));
  } catch {
    return { record: null, fault: 'not JSON: each line must be a JSON object' };
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
