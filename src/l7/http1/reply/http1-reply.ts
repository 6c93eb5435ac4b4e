import type { TimerWheel } from '../../../core/timing/timer-wheel.ts';
import type { Channel } from '../../../transport/channel.ts';
import { CHUNK_END, chunkHead, lastChunk } from '../../../wire/http/chunked-body/chunk-writing.ts';
import { NO_EDITS, type HeaderEdits } from '../../../wire/http/header-edits.ts';
import type { RequestHead } from '../../../wire/http/request-head.ts';
import type { ChannelWriter } from '../../buffers/channel-writer.ts';
import type { ErrorPages } from '../../contract/error-pages.ts';
import type { HeaderList, HttpReply, ResponseCut } from '../../contract/http-reply.ts';
import { HalfCloseProbe } from './half-close-probe.ts';
import { chunkedEnd, finalHead, interimHead } from './reply-head.ts';
import { StallWatch } from './stall-watch.ts';

/** The parts of a connection that a reply uses. */
export interface ReplyConnection {
  readonly channel: Channel;
  readonly writer: ChannelWriter;
  readonly wheel: TimerWheel;
  /** Whether the connection stays open for another request. Called once, when the head is written. */
  staysOpen(): boolean;
  /** Called once, when the kernel has taken the whole reply, or the reply is aborted. */
  replyOver(): void;
  /**
   * Closes the connection in the middle of the reply.
   *
   * @param resets whether a FIN would look like the end of the body
   */
  cutOff(resets: boolean): void;
}

/** How the client finds the end of a body. */
type Framing = 'length' | 'chunks' | 'close';

const NOTHING = new Uint8Array(0);
const CONTINUE = 'HTTP/1.1 100 Continue\r\n\r\n';
const LAST_CHUNK = lastChunk();
/** Max leading zeros of a chunk size: readers limit its digits, curl to 16. */
const MAX_LEADING_ZEROS = 8;

/** A reply on one of sluice's own channels. Head and first bytes leave in one write. */
export class Http1Reply implements HttpReply {
  edits: HeaderEdits = NO_EDITS;
  pages: ErrorPages | null = null;
  aborted = false;
  refusedAs: 400 | null = null;
  begun = false;
  cutBy: ResponseCut | null = null;
  sent = 0;
  readonly sendsTrailers: boolean;
  /** Whether bytes are buffered for the client. */
  waits = false;
  /** Whether the connection closes after the reply. */
  closes = false;
  /** Whether the connection speaks WebSocket from now on. */
  isSwitched = false;
  readonly #connection: ReplyConnection;
  readonly #requestId: string;
  readonly #isHead: boolean;
  readonly #isHttp10: boolean;
  #state: 'unanswered' | 'streaming' | 'flushing' | 'over' = 'unanswered';
  #framing: Framing = 'length';
  /** Remaining bytes of a body of known length. */
  #left = 0;
  /** The head of a streamed reply until it leaves with the first chunk, empty after that. */
  #head = '';
  /** Zeros that {@link probe} has sent before the size of the next chunk. */
  #leadingZeros = 0;
  /** Null until bytes are buffered for the first time. */
  #stall: StallWatch | null = null;
  /** Null until the client sends FIN. */
  #halfCloseProbe: HalfCloseProbe | null = null;
  #onAborted: (() => void) | null = null;
  #whenWritable: (() => void) | null = null;

  /**
   * @param requestId for X-Request-Id in every head
   * @param head the request's head
   */
  constructor(connection: ReplyConnection, requestId: string, { method, isHttp10 }: RequestHead) {
    this.#connection = connection;
    this.#requestId = requestId;
    this.#isHead = method === 'HEAD';
    this.#isHttp10 = isHttp10 === true;
    this.sendsTrailers = !this.#isHttp10;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  onAborted(callback: () => void): void {
    if (this.aborted) callback();
    else if (this.#state !== 'over') this.#onAborted = callback;
  }

  sendInterim(status: number, headers: HeaderList): void {
    if (this.#state !== 'unanswered' || this.#isHttp10) return;
    this.#writeBytes(interimHead(status, headers, this.edits), NOTHING, '');
  }

  send(status: number, headers: HeaderList, body: string | Uint8Array, close = false): void {
    if (this.#state !== 'unanswered') return;
    const bytes = typeof body === 'string' ? Buffer.from(body) : body;
    const isBodiless = status === 204 || status === 304;
    const hasBody = !isBodiless && !this.#isHead;
    const head = this.#headText(status, headers, isBodiless ? '' : lengthLine(bytes.length), close);
    if (hasBody) this.sent = bytes.length;
    this.#give(head, hasBody ? bytes : NOTHING, '');
    this.#flush();
  }

  sendHead(status: number, headers: HeaderList, length: number | null): void {
    if (this.#state !== 'unanswered') return;
    this.#give(this.#headText(status, headers, length === null ? '' : lengthLine(length)), NOTHING, '');
    this.#flush();
  }

  begin(status: number, headers: HeaderList, length: number | null): void {
    if (this.#isHead) this.sendHead(status, headers, length);
    if (this.#state !== 'unanswered') return;
    this.#state = 'streaming';
    this.#framing = length !== null ? 'length' : this.#isHttp10 ? 'close' : 'chunks';
    this.#left = length ?? 0;
    this.#head = this.#headText(status, headers, framingLine(this.#framing, this.#left));
  }

  beginAndFlush(status: number, headers: HeaderList, length: number | null): boolean {
    this.begin(status, headers, length);
    if (this.#state === 'streaming') this.#give(this.#takeHead(), NOTHING, '');
    return true;
  }

  write(chunk: Uint8Array): boolean {
    if (this.#state !== 'streaming') return true;
    this.sent += chunk.length;
    if (this.#framing === 'chunks') {
      this.#give(this.#takeHead() + chunkHead(chunk.length), chunk, CHUNK_END);
      return !this.waits;
    }
    this.#give(this.#takeHead(), chunk, '');
    if (this.#framing === 'length') {
      this.#left -= chunk.length;
      if (this.#left <= 0) this.#flush();
    }
    return !this.waits;
  }

  end(chunk: Uint8Array | null, trailers: HeaderList = []): void {
    if (this.#state !== 'streaming') return;
    const bytes = chunk ?? NOTHING;
    this.sent += bytes.length;
    const before = this.#takeHead();
    if (this.#framing === 'chunks') {
      const isPlain = trailers.length === 0;
      if (bytes.length === 0) this.#give(isPlain ? before + LAST_CHUNK : before, NOTHING, '');
      else this.#give(before + chunkHead(bytes.length), bytes, isPlain ? CHUNK_END + LAST_CHUNK : CHUNK_END);
      if (!isPlain) this.#give(chunkedEnd(trailers, this.edits), NOTHING, '');
    } else if (before !== '' || bytes.length > 0) {
      this.#give(before, bytes, '');
    }
    this.#flush();
  }

  whenWritable(callback: () => void): void {
    if (this.waits && this.#state !== 'over') this.#whenWritable = callback;
    else callback();
  }

  cut(reason: ResponseCut): void {
    if (this.#state === 'over') return;
    this.cutBy = reason;
    this.#drop();
    this.#connection.cutOff(this.#framing === 'close');
  }

  /** Cuts the reply because the client takes no bytes, and notifies the writer of the reply. */
  stalled(): void {
    const callback = this.#onAborted;
    this.cut('client_stalled');
    callback?.();
  }

  /** Answers 101. The caller takes over the channel. @param ownLines header lines of the handshake */
  switchProtocols(headers: HeaderList, ownLines: string): void {
    const requestId = this.#requestId;
    this.begun = this.isSwitched = true;
    const { writer, channel } = this.#connection;
    const head = finalHead({ status: 101, ownLines, requestId }, headers, this.edits);
    writer.write(channel, head, NOTHING, '');
    this.#finish();
  }

  /** Sends 100 (Continue), if the client's protocol has it and no part of the answer was sent. */
  proceed(): void {
    if (this.#state !== 'over' && !this.begun && !this.#isHttp10) this.#writeBytes(CONTINUE, NOTHING, '');
  }

  /** Sends meaningless bytes, so that the system of a vanished client answers by a reset. */
  probe(): void {
    if (!this.begun) this.proceed();
    else if (this.#state === 'streaming' && this.#framing === 'chunks' && !this.waits)
      this.#sendLeadingZero();
  }

  /** Called when the client has sent FIN. Its socket may be closed. */
  clientEnded(): void {
    if (this.#state === 'over') return;
    this.#halfCloseProbe = new HalfCloseProbe(this.#connection.wheel, this);
    this.#halfCloseProbe.start();
  }

  /** Called when the kernel has taken all buffered bytes. */
  drained(): void {
    if (!this.waits) return;
    this.#setWaits(false);
    this.#resume();
    this.#finishIfSent();
  }

  /** Aborts the reply because the rest of the request cannot be read. The caller answers 400. */
  refuse(): void {
    this.refusedAs = 400;
    this.abort();
  }

  /** Aborts the reply because the client has disconnected. */
  abort(): void {
    if (this.#state === 'over') return;
    const callback = this.#onAborted;
    this.#drop();
    callback?.();
  }

  /** Stops all output to the client. */
  #drop(): void {
    this.aborted = true;
    this.#finish();
    this.#setWaits(false);
    this.#resume();
  }

  #resume(): void {
    const callback = this.#whenWritable;
    this.#whenWritable = null;
    callback?.();
  }

  /** Ends the reply once the kernel has taken all of it. */
  #flush(): void {
    this.#state = 'flushing';
    this.#finishIfSent();
  }

  #finishIfSent(): void {
    if (this.#state === 'flushing' && !this.waits) this.#finish();
  }

  #finish(): void {
    this.#state = 'over';
    this.#head = '';
    this.#onAborted = null;
    this.#stall?.stop();
    this.#halfCloseProbe?.stop();
    this.#connection.replyOver();
  }

  #headText(status: number, headers: HeaderList, framing: string, close = false): string {
    this.closes = close || this.#framing === 'close' || !this.#connection.staysOpen();
    const connection = this.closes
      ? 'Connection: close\r\n'
      : // Without this header, an HTTP/1.0 client expects the connection to close (RFC 9112 section C.2.2).
        this.#isHttp10
        ? 'Connection: keep-alive\r\n'
        : '';
    const terms = { status, ownLines: framing + connection, requestId: this.#requestId };
    return finalHead(terms, headers, this.edits);
  }

  /**
   * Sends a zero. The size of a chunk may start with zeros (RFC 9112 section 7.1), and so may the last
   * chunk's.
   */
  #sendLeadingZero(): void {
    if (this.#leadingZeros === MAX_LEADING_ZEROS) return;
    this.#leadingZeros++;
    this.#writeBytes('0', NOTHING, '');
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    return head;
  }

  /** Writes a part of the final response. */
  #give(before: string, bytes: Uint8Array, behind: string): void {
    this.begun = true;
    this.#leadingZeros = 0;
    this.#writeBytes(before, bytes, behind);
  }

  /** Writes any bytes, and records whether some are buffered. */
  #writeBytes(before: string, bytes: Uint8Array, behind: string): void {
    const { writer, channel } = this.#connection;
    if (writer.write(channel, before, bytes, behind)) return;
    this.#setWaits(true);
  }

  #setWaits(waits: boolean): void {
    if (waits === this.waits) return;
    this.waits = waits;
    if (waits) {
      const { wheel, channel } = this.#connection;
      this.#stall ??= new StallWatch(wheel, channel, this);
      this.#stall.start();
    } else {
      this.#stall?.stop();
    }
  }
}

function framingLine(framing: Framing, length: number): string {
  if (framing === 'length') return lengthLine(length);
  return framing === 'chunks' ? 'Transfer-Encoding: chunked\r\n' : '';
}

function lengthLine(length: number): string {
  return `Content-Length: ${length}\r\n`;
}
