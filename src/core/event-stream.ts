/**
 * Reads the data of server-sent events (HTML, section 9.2) from pieces of text. Ignores IDs, names and
 * comments.
 *
 * The browser's own EventSource reveals neither status nor text of a refusal, and retries after a fixed time.
 */
export class EventStreamReader {
  readonly #maxLength: number;
  /** Start of an incomplete line. */
  #rest = '';
  /** Whether the last piece ended in CR: an LF at the start of the next piece belongs to it. */
  #isBehindCr = false;
  /** Data lines of the current event. */
  #data: string[] = [];
  /** Number of characters in `#rest` and in data lines. */
  #held = 0;

  /** @param maxLength max characters of an event, and of a line */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /**
   * Returns the data of the events that end in a piece.
   *
   * @throws RangeError for an event that is too long. The stream is unusable afterwards
   */
  read(piece: string): string[] {
    if (piece === '') return [];
    const events: string[] = [];
    const lineEnd = /\r\n?|\n/g;
    let start = this.#isBehindCr && piece.startsWith('\n') ? 1 : 0;
    lineEnd.lastIndex = start;
    for (let end = lineEnd.exec(piece); end !== null; end = lineEnd.exec(piece)) {
      this.#hold(piece.slice(start, end.index));
      start = lineEnd.lastIndex;
      this.#endLine(events);
    }
    this.#hold(piece.slice(start));
    this.#isBehindCr = piece.endsWith('\r');
    return events;
  }

  #hold(text: string): void {
    this.#held += text.length;
    if (this.#held > this.#maxLength) {
      throw new RangeError(`an event exceeds the max of ${this.#maxLength} characters`);
    }
    this.#rest += text;
  }

  #endLine(events: string[]): void {
    const line = this.#rest;
    this.#rest = '';
    if (line === '') {
      if (this.#data.length > 0) events.push(this.#data.join('\n'));
      this.#data = [];
      this.#held = 0;
      return;
    }
    const data = dataOf(line);
    if (data === null) this.#held -= line.length;
    else this.#data.push(data);
  }
}

/** Returns the value of a `data` line; null for other lines. */
function dataOf(line: string): string | null {
  const colon = line.indexOf(':');
  const field = colon < 0 ? line : line.slice(0, colon);
  if (field !== 'data') return null;
  const value = colon < 0 ? '' : line.slice(colon + 1);
  return value.startsWith(' ') ? value.slice(1) : value;
}
