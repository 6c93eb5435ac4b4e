import { constants, deflateRaw, deflateRawSync } from 'node:zlib';

/** How long a client waits before it connects again, unless it chooses itself. */
const RETRY_MS = 2000;

/** Ends a piece of gzip at a byte, without a reference to what came before: a reader may begin with any piece. */
const PIECE = { level: constants.Z_BEST_SPEED, finishFlush: constants.Z_FULL_FLUSH };
/** The head of a gzip file without a name and a time (RFC 1952). It never ends, so it needs no checksum. */
const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
const PREAMBLE = Buffer.from(`retry: ${RETRY_MS}\n\n`);
const GZIP_PREAMBLE = Buffer.concat([GZIP_HEAD, deflateRawSync(PREAMBLE, PIECE)]);

/** Returns the first bytes of a stream of events. */
export function preambleOf(encoding: 'gzip' | null): Buffer {
  return encoding === 'gzip' ? GZIP_PREAMBLE : PREAMBLE;
}

/** A frame as a server-sent event, whose bytes all readers share. */
export class LiveChunk {
  /** The JSON of the frame. */
  readonly text: string;
  readonly #plain: Buffer;
  #gzip: Promise<Buffer> | null = null;

  /** @param text JSON without line ends @param id the event's */
  constructor(text: string, id: number) {
    this.text = text;
    this.#plain = Buffer.from(`id: ${id}\ndata: ${text}\n\n`);
  }

  /** Returns the event for a stream in an encoding. Another thread compresses it, once for all readers. */
  bytes(encoding: 'gzip' | null): Promise<Buffer> {
    if (encoding === null) return Promise.resolve(this.#plain);
    this.#gzip ??= new Promise((resolve, reject) =>
      deflateRaw(this.#plain, PIECE, (error, bytes) => (error === null ? resolve(bytes) : reject(error))),
    );
    return this.#gzip;
  }
}
