import type { ReplySink, Scanner } from './scanner.ts';

/** Gives a {@link StreamScanner} the reply lengths: a raw connection does not delimit messages. */
export interface StreamSink extends ReplySink {
  /** Returns the length of the next reply, or 0 if none is due. */
  expectedReply(): number;
}

/** Counts the replies on a raw connection. Each is as long as the message that it echoes. */
export class StreamScanner implements Scanner {
  readonly #sink: StreamSink;
  /** Bytes received of the current reply. */
  #come = 0;
  #stopped = false;

  constructor(sink: StreamSink) {
    this.#sink = sink;
  }

  scan(input: Buffer, length: number): void {
    let at = 0;
    while (at < length && !this.#stopped) {
      const expected = this.#sink.expectedReply();
      if (expected === 0) {
        this.#stopped = true;
        this.#sink.replyError('bytes that echo nothing');
        return;
      }
      const take = Math.min(expected - this.#come, length - at);
      this.#come += take;
      at += take;
      if (this.#come < expected) return;
      this.#come = 0;
      this.#sink.replyMessage(expected, input, at - take, take, false);
    }
  }
}
