import { constants, deflateRaw, deflateRawSync } from 'node:zlib';

/** Time before a client reconnects, unless it chooses its own. */
const RETRY_MS = 2000;

/** Each piece of gzip ends on a byte and refers to no earlier piece, so a reader can start with any piece. */
const PIECE = { level: constants.Z_BEST_SPEED, finishFlush: constants.Z_FULL_FLUSH };
/** Head of a gzip file without name and time (RFC 1952). The stream never ends, so it needs no checksum. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const PREAMBLE = Buffer.from(`retry: ${RETRY_MS}\n\n`);
const GZIP_PREAMBLE = Buffer.concat([GZIP_HEAD, deflateRawSync(PREAMBLE, PIECE)]);

/** Returns the first bytes of an event stream. */
export function preambleOf(encoding: 'gzip' | null): Buffer {
  return encoding === 'gzip' ? GZIP_PREAMBLE : PREAMBLE;
}

/** A frame as a server-sent event. All readers share its bytes. */
export class LiveChunk {
  /** JSON of the frame. */
  readonly text: string;
  readonly #plain: Buffer;
  #gzip: Promise<Buffer> | null = null;

  /** @param text JSON without line breaks @param id id of the event */
  constructor(text: string, id: number) {
    this.text = text;
    this.#plain = Buffer.from(`id: ${id}\ndata: ${text}\n\n`);
  }

  /** Returns the event in an encoding. Another thread compresses it, once for all readers. */
  bytes(encoding: 'gzip' | null): Promise<Buffer> {
    if (encoding === null) return Promise.resolve(this.#plain);
    this.#gzip ??= new Promise((resolve, reject) =>
      deflateRaw(this.#plain, PIECE, (error, bytes) => (error === null ? resolve(bytes) : reject(error))),
    );
    return this.#gzip;
  }
}
