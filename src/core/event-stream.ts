/**
 * Reads the data of server-sent events (HTML, section 9.2) from pieces of text. Ids, names and comments are ignored.
 *
 * A browser's own EventSource tells neither the status of a refusal nor its text, and waits a fixed time before it tries again.
 */
export class EventStreamReader {
  readonly #maxLength: number;
  /** The beginning of a line whose end has not come. */
  #rest = '';
  /** Whether the last piece ended in a CR, so that an LF at the start of the next one belongs to it. */
  #isBehindCr = false;
  /** Lines of data of the event that has begun. */
  #data: string[] = [];
  /** Characters in `#rest` and in lines of data. */
  #held = 0;

  /** @param maxLength max characters of an event, and of a line */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  /**
   * Returns the data of the events that end in a piece.
   *
   * @throws RangeError for an event that is too long: the stream cannot be read on
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
      throw new RangeError(`an event of the stream has more than ${this.#maxLength} characters`);
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

/** Returns the value of a line that is a `data` field; null for any other line. */
function dataOf(line: string): string | null {
  const colon = line.indexOf(':');
  const field = colon < 0 ? line : line.slice(0, colon);
  if (field !== 'data') return null;
  const value = colon < 0 ? '' : line.slice(colon + 1);
  return value.startsWith(' ') ? value.slice(1) : value;
}
