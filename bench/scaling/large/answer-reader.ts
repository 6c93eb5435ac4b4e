const HEAD_END = '\r\n\r\n';
const MAX_HEAD_BYTES = 16_384;
const MAX_BODY_BYTES = 65_536;

/** An HTTP/1.1 answer. */
export interface ShortAnswer {
  readonly status: number;
  readonly body: string;
  /** Whether the connection ends after the answer. */
  readonly last: boolean;
}

/** Reads short answers with a Content-Length, one at a time, from pieces of a connection's input. */
export class AnswerReader {
  #text = '';

  /**
   * Adds a piece.
   *
   * @returns the answer if the piece completes it, null otherwise
   * @throws Error if the answer is not HTTP/1.1, has no length or is too long
   */
  take(piece: Buffer): ShortAnswer | null {
    this.#text += piece.toString('latin1');
    const end = this.#text.indexOf(HEAD_END);
    if (end < 0) {
      if (this.#text.length > MAX_HEAD_BYTES) throw new Error('the head of an answer is too long');
      return null;
    }
    const head = this.#text.slice(0, end);
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1] ?? NaN);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
    if (!Number.isInteger(status) || !(length <= MAX_BODY_BYTES)) {
      throw new Error(`an unexpected answer: ${JSON.stringify(head.slice(0, 80))}`);
    }
    const from = end + HEAD_END.length;
    if (this.#text.length < from + length) return null;
    const body = this.#text.slice(from, from + length);
    this.#text = this.#text.slice(from + length);
    return { status, body, last: /\r\nconnection: *close/i.test(head) };
  }
}
