/** Reads server-sent events. */

/** Bytes are read as UTF-8; lines end with LF or CRLF. Only the `data` of events is of use here. */
export class EventStream {
  readonly #onData: (data: string) => void;
  readonly #maxLength: number;
  readonly #decoder = new TextDecoder();
  /** Pieces of a line whose end has not come. */
  #pieces: string[] = [];
  /** Lines of data of the event that is being read. */
  #data: string[] = [];
  /** Characters in `#pieces` and `#data`. */
  #held = 0;

  /**
   * @param onData called with the data of each event
   * @param maxLength max characters of an event
   */
  constructor(onData: (data: string) => void, maxLength: number) {
    this.#onData = onData;
    this.#maxLength = maxLength;
  }

  /**
   * Takes the next bytes of the stream.
   *
   * @throws Error if an event is too long
   */
  push(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.#hold(text.slice(start, end));
      start = end + 1;
      this.#endLine();
    }
    if (start < text.length) this.#hold(text.slice(start));
  }

  #hold(piece: string): void {
    this.#held += piece.length;
    if (this.#held > this.#maxLength) throw new Error(`an event of more than ${this.#maxLength} characters`);
    this.#pieces.push(piece);
  }

  #endLine(): void {
    const whole = this.#pieces.join('');
    this.#pieces = [];
    const line = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
    if (line === '') {
      const data = this.#data.join('\n');
      const isEvent = this.#data.length > 0;
      this.#data = [];
      this.#held = 0;
      if (isEvent) this.#onData(data);
      return;
    }
    const isData = line.startsWith('data:');
    if (isData) this.#data.push(line.slice(line.startsWith('data: ') ? 6 : 5));
    // Comments and other fields are not kept.
    else this.#held -= whole.length;
  }
}
