import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { unacknowledgedBytes } from '../../../sys/node/node-sockets.ts';
import type { TapReader, TapSource } from '../../tap/tap-reader.ts';
import type { AnswerStream } from '../admin-answer.ts';

interface StreamTiming {
  /** Returns milliseconds on a monotonic clock. */
  readonly now: () => number;
  /** Calls back periodically, until the returned function is called. */
  readonly every: (ms: number, run: () => void) => () => void;
}

/** Media type of JSON lines: https://github.com/ndjson/ndjson-spec. */
export const NDJSON_TYPE = 'application/x-ndjson';
/** Interval between empty lines. If the other side has vanished, sending bytes makes the connection fail. */
const EMPTY_LINE_MS = 5000;
const EMPTY_LINE = '\n';
/** Max time without acknowledgements from the reader's machine while bytes are in flight. */
const MAX_SILENCE_MS = 30_000;
const DISCONNECTED = 'the reader disconnected';
const SILENT = `the reader acknowledged nothing for ${MAX_SILENCE_MS / 1000} s`;

const TIMING: StreamTiming = {
  now: () => performance.now(),
  every: (ms, run) => {
    const timer = setInterval(run, ms).unref();
    return () => clearInterval(timer);
  },
};

/**
 * Returns the answer that streams the lines of a tap. When either the tap or the connection ends, so does the
 * other.
 */
export function tapStream(source: TapSource, timing = TIMING): AnswerStream {
  return {
    begin: (response) => {
      const { socket } = response;
      if (response.destroyed || socket === null) source.leave(DISCONNECTED);
      else source.begin(new ResponseReader(response, socket, source, timing));
    },
  };
}

/** The reader of a tap at the other end of an HTTP answer. */
class ResponseReader implements TapReader {
  readonly #response: ServerResponse;
  readonly #socket: Socket;
  readonly #source: TapSource;
  readonly #now: () => number;
  #isClosed = false;
  /** Bytes that the other side has acknowledged, and when that number last grew. */
  #acknowledged = 0;
  #acknowledgedAt: number;

  constructor(response: ServerResponse, socket: Socket, source: TapSource, { now, every }: StreamTiming) {
    this.#response = response;
    this.#socket = socket;
    this.#source = source;
    this.#now = now;
    this.#acknowledgedAt = now();
    const stop = every(EMPTY_LINE_MS, () => this.#check());
    // A write may fail before the connection's 'close' event.
    response.on('error', () => undefined);
    response.once('close', () => {
      this.#isClosed = true;
      stop();
      source.leave(DISCONNECTED);
    });
  }

  write(lines: Buffer, onTaken: () => void): void {
    if (this.#isClosed || this.#response.destroyed) return;
    this.#response.write(lines, (error) => {
      if (error === null || error === undefined) onTaken();
    });
  }

  end(): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#response.once('close', resolve);
      this.#response.end();
    });
  }

  /** Closes the connection of a silent reader. Sends an empty line to other readers. */
  #check(): void {
    const waiting = unacknowledgedBytes(this.#socket);
    const acknowledged = this.#socket.bytesWritten - waiting;
    if (waiting === 0 || acknowledged > this.#acknowledged) {
      this.#acknowledged = acknowledged;
      this.#acknowledgedAt = this.#now();
    } else if (this.#now() - this.#acknowledgedAt >= MAX_SILENCE_MS) {
      this.#source.leave(SILENT);
      this.#socket.resetAndDestroy();
      return;
    }
    if (waiting === 0 && !this.#response.writableEnded) this.#response.write(EMPTY_LINE);
  }
}
