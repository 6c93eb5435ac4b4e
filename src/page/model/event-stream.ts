/** Max characters of one event of a stream. A frame of 100 clusters and 5,000 endpoints has about 2 million. */
export const MAX_EVENT_LENGTH = 8_000_000;

/**
 * Reads the data of server-sent events (HTML, section 9.2) from pieces of text. Ids, names and comments are ignored.
 *
 * The browser's own EventSource tells neither the status of a refusal nor its text, and waits a fixed time before it tries again.
 */
export class EventStreamReader {
  #rest = '';
  #endsInCr = false;
  #data: string[] = [];
  #length = 0;

  /**
   * Returns the data of the events that end in a piece.
   *
   * @throws RangeError for an event of more than {@link MAX_EVENT_LENGTH} characters
   */
  read(piece: string): string[] {
    this.#length += piece.length;
    if (this.#length > MAX_EVENT_LENGTH) throw new RangeError('an event of the stream is too long');
    const events: string[] = [];
    if (!/[\r\n]/.test(piece) && !this.#endsInCr) {
      // Without a search through what there is: a long line comes in many pieces.
      this.#rest += piece;
      return events;
    }
    // A CR at the end may be the first half of a line end.
    const text = this.#rest + piece;
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text;
    const lines = whole.split(/\r\n|\r|\n/);
    this.#rest = (lines.pop() ?? '') + text.slice(whole.length);
    this.#endsInCr = whole.length < text.length;
    for (const line of lines) {
      if (line !== '') {
        const data = dataOf(line);
        if (data !== null) this.#data.push(data);
        continue;
      }
      if (this.#data.length > 0) events.push(this.#data.join('\n'));
      this.#data = [];
      this.#length = this.#rest.length;
    }
    return events;
  }
}

/** Returns the value of a line that is a `data` field. */
function dataOf(line: string): string | null {
  const colon = line.indexOf(':');
  const field = colon < 0 ? line : line.slice(0, colon);
  if (field !== 'data') return null;
  const value = colon < 0 ? '' : line.slice(colon + 1);
  return value.startsWith(' ') ? value.slice(1) : value;
}
