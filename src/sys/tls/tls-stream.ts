import { EAGAIN, ECONNRESET, ENODATA, EPIPE, EPROTO, errorName } from '../errno.ts';
import { addressWithin, type PinnedBuffer } from '../memory/pinned-buffer.ts';
import { checkDescriptor, nativeCalls } from '../native-calls.ts';
import { NO_CERTIFICATE, Outcome, UNTRUSTED_CERTIFICATE, openssl } from '../openssl.ts';
import type { OpenSsl } from '../openssl-functions.ts';
import { takeError } from './errors.ts';
import { OutputBuffer } from './output-buffer.ts';
import { peerCertificateOf } from './peer-certificate.ts';
import type { ServerContext } from './server-context.ts';

/**
 * - `ended`: the connection ended or was reset.
 * - `certificate`: the client's certificate is missing or bad.
 * - `protocol`: one side broke the protocol or refused the other's offer.
 */
export type TlsFailureKind = 'ended' | 'certificate' | 'protocol';

const OK = 1;
/** Max payload of a record (RFC 8446 section 5.1). */
const MAX_RECORD_BYTES = 16 * 1024;
/** OpenSSL takes lengths as `int`. */
const MAX_LENGTH = 0x7fff_ffff;
/**
 * Max consecutive handshake messages after the handshake, such as KeyUpdate (RFC 8446 section 4.6.3).
 * Receiving one costs more than sending it, and OpenSSL 3 has no limit.
 */
const MAX_LATE_MESSAGES = 32;
/** Events that a call can wait for: the socket, or a repetition of the blocked write. */
const NOTHING = 0;
const READABLE = 1;
const WRITABLE = 2;
const RETRY = 3;

let live = 0;

/**
 * The server's end of a TLS connection (`SSL`) on a non-blocking socket, which the caller owns.
 *
 * OpenSSL interprets a failed call by the thread's errors. Call `clearErrors` after other code of this
 * thread, such as Node, used OpenSSL.
 *
 * After -EAGAIN, {@link wantsRead}, {@link wantsWrite} and {@link wantsRetry} say what to wait for.
 * OpenSSL reads ahead: while {@link hasPending} is true, epoll does not report the bytes it holds.
 */
export class TlsStream {
  /** Streams of this thread that are not freed. */
  static get live(): number {
    return live;
  }

  readonly #calls: OpenSsl = openssl();
  readonly #context: ServerContext;
  readonly #fd: number;
  #address: number;
  #waitsFor = NOTHING;
  /** Bytes of the write that must be repeated. */
  #blocked = 0;
  /** Collects OpenSSL's output while the socket is full, so that reads continue. Usually null. */
  #output: OutputBuffer | null = null;
  /** OpenSSL has a close_notify, sent or not. */
  #isClosing = false;
  #hasClosed = false;
  /** Error number of an unusable connection; 0 for none. */
  #broken = 0;
  #failure = '';
  #failureKind: TlsFailureKind = 'protocol';

  /** @throws Error if the context is closed, or memory runs out */
  constructor(context: ServerContext, fd: number) {
    checkDescriptor(fd);
    this.#context = context;
    this.#fd = fd;
    this.#address = this.#calls.newStream(context.acquire());
    live++;
    if (this.#address !== 0 && this.#calls.setDescriptor(this.#address, fd) === OK) return;
    const { text } = takeError();
    this.#release();
    throw new Error(`TLS: ${text}`);
  }

  /** Short reason why the connection is broken, without bytes from the client; empty if it is not. */
  get failure(): string {
    return this.#failure;
  }

  /** Kind of the {@link failure}. Meaningless without one. */
  get failureKind(): TlsFailureKind {
    return this.#failureKind;
  }

  get wantsRead(): boolean {
    return this.#waitsFor === READABLE;
  }

  get wantsWrite(): boolean {
    return this.#waitsFor === WRITABLE;
  }

  /** Whether reads wait for the blocked write. Repeat that write at once: the socket needs no room. */
  get wantsRetry(): boolean {
    return this.#waitsFor === RETRY;
  }

  /**
   * Whether OpenSSL has bytes that a read may return. If false after a successful read, wait for the socket.
   * Bytes of an incomplete record count: the next read returns -EAGAIN, and only the socket can help.
   */
  get hasPending(): boolean {
    return this.#calls.hasPending(this.#open()) === 1;
  }

  /**
   * Continues the handshake. On `read` or `write`, call it again once the socket is ready. When done, check
   * {@link hasPending}: the client's first bytes may have arrived with its last message.
   */
  handshake(): 'done' | 'read' | 'write' | 'failed' {
    const address = this.#open();
    if (this.#broken !== 0) return 'failed';
    const result = this.#calls.accept(address);
    if (result === OK) {
      // A handshake can recover from an error, which must not affect the next call.
      this.#calls.clearErrors();
      return 'done';
    }
    const error = this.#judge(result, nativeCalls().errno());
    if (error === 0) this.#break(-ENODATA, 'ended', 'the client has closed');
    if (error !== -EAGAIN) return 'failed';
    return this.#waitsFor === WRITABLE ? 'write' : 'read';
  }

  /**
   * Reads into `bytes[start, end)` of a buffer, at most one record (16 KiB). Writes still work after either
   * end.
   *
   * @returns number of bytes; 0 for the client's close_notify. A negative error number: -EAGAIN without
   * bytes, -ENODATA for FIN without close_notify, -EPROTO for a protocol error, -ECONNRESET …
   */
  read(buffer: PinnedBuffer, start: number, end: number): number {
    const address = this.#open();
    if (this.#broken !== 0) return this.#broken;
    const place = addressWithin(buffer, start, end);
    const length = Math.min(end - start, MAX_LENGTH);
    for (let round = 0; round <= MAX_LATE_MESSAGES; round++) {
      if (this.#blocked > 0 || this.#output !== null || this.#isClosing) {
        const error = this.#prepareAnswer(address);
        if (error !== 0) return error;
      }
      const count = this.#calls.read(address, place, length);
      if (count > 0) return count;
      const errno = nativeCalls().errno();
      const error = this.#judge(count, errno);
      if (error === 0) return this.#calls.hasMetEnd(address) ? -ENODATA : 0;
      if (error !== -EAGAIN) return error;
      if (this.#waitsFor === WRITABLE && this.#output === null) this.#divert(address);
      else if (errno === EAGAIN) return error;
    }
    return this.#break(-EPROTO, 'protocol', 'too many handshake messages in a row');
  }

  /**
   * Encrypts and sends `bytes[start, end)` of a buffer, at most 16 KiB at a time.
   *
   * After -EAGAIN, OpenSSL holds an encrypted record of these bytes, and counts them only once sent. The next
   * write must start with the same bytes, and have at least as many, or 16 KiB. Their address may change.
   *
   * @returns number of bytes, 1 or more; a negative error number: -EAGAIN without room
   * @throws RangeError if it is shorter than the write it repeats, because OpenSSL would break the connection
   */
  write(buffer: PinnedBuffer, start: number, end: number): number {
    const address = this.#open();
    if (this.#broken !== 0) return this.#broken;
    const place = addressWithin(buffer, start, end);
    // More would not fit, and a blocked write must be repeated with at least as much.
    const length = Math.min(end - start, MAX_RECORD_BYTES);
    if (length < this.#blocked) {
      throw new RangeError(`${length} bytes do not repeat a write of ${this.#blocked}`);
    }
    if (this.#output !== null) {
      const sent = this.#flush(this.#output);
      if (sent !== 0) return sent;
    } else if (this.#waitsFor === RETRY) {
      this.#divert(address);
    }
    const count = this.#calls.write(address, place, length);
    if (count > 0) {
      this.#blocked = 0;
      if (this.#output === null) return count;
      this.#blocked = length;
      this.#output.payload = count;
      return this.#flush(this.#output);
    }
    const error = this.#judge(count, nativeCalls().errno());
    if (error === -EAGAIN) this.#blocked = length;
    // A write never reports the end of the stream.
    return error === 0 ? -EPIPE : error;
  }

  /**
   * Sends close_notify, which ends our direction. Reads continue, writes do not.
   *
   * @returns 0 once sent; a negative error number: -EAGAIN to repeat it, or to repeat a blocked write first
   */
  sendCloseNotify(): number {
    const address = this.#open();
    if (this.#broken !== 0) return this.#broken;
    if (this.#hasClosed) return 0;
    if (this.#blocked > 0) {
      this.#waitsFor = WRITABLE;
      return -EAGAIN;
    }
    const output = this.#output;
    if (output !== null) {
      const error = this.#flush(output);
      if (error !== 0) return error;
    }
    // A close_notify in the output buffer is sent now. Calling OpenSSL again would make it read.
    if (output === null || !this.#isClosing) {
      const error = this.#shutDown(address);
      if (error !== 0) return error;
    }
    this.#hasClosed = true;
    return 0;
  }

  /**
   * Returns the client's verified certificate in DER; null without one. Call it after the handshake.
   *
   * @throws RangeError if it is longer than 100 KiB
   */
  clientCertificate(): Buffer | null {
    return peerCertificateOf(this.#calls, this.#open());
  }

  /** Frees the memory. The socket stays open. Idempotent. Any other call throws afterwards. */
  free(): void {
    if (this.#address !== 0) this.#release();
  }

  #release(): void {
    if (this.#address !== 0) this.#calls.freeStream(this.#address);
    this.#output?.free();
    this.#output = null;
    this.#address = 0;
    this.#context.release();
    live--;
  }

  #open(): number {
    if (this.#address === 0) throw new Error('the TLS stream is freed');
    return this.#address;
  }

  /**
   * Makes sure that OpenSSL can answer a KeyUpdate during a read. It sends the answer with the next write, or
   * at once before another handshake message. An answer at once breaks the connection while a record is
   * partly sent (SSL_R_BAD_LENGTH, openssl/openssl#8677). So the rest of that record must be in memory, and
   * only the caller can repeat its bytes. After close_notify nothing may be sent: the answer goes to memory
   * and is dropped. An unsent close_notify goes to memory first.
   *
   * @returns 0 if OpenSSL may read; a negative error number: -EAGAIN if something must be written first
   */
  #prepareAnswer(address: number): number {
    const output = this.#output;
    if (output === null) {
      if (!this.#calls.owesKeyUpdate(address)) return 0;
      if (this.#isClosing) {
        this.#divert(address);
        return this.#hasClosed ? 0 : this.#shutDown(address);
      }
      this.#waitsFor = RETRY;
      return -EAGAIN;
    }
    if (output.collect()) return 0;
    if (this.#hasClosed) {
      output.clear();
      return 0;
    }
    const error = output.flush(this.#fd);
    if (error !== -EAGAIN) return error === 0 ? 0 : this.#breakBySystem(-error);
    this.#waitsFor = WRITABLE;
    return error;
  }

  /** Makes OpenSSL send close_notify. Returns 0 once sent; a negative error number. */
  #shutDown(address: number): number {
    this.#isClosing = true;
    const result = this.#calls.shutdown(address);
    return result < 0 ? this.#judge(result, nativeCalls().errno()) : 0;
  }

  /** Makes OpenSSL write to memory, so that it never waits for the socket. */
  #divert(address: number): void {
    this.#output = new OutputBuffer(this.#calls, address);
    this.#waitsFor = NOTHING;
  }

  /** Sends the output buffer. Returns the number of payload bytes sent, or 0; a negative error number. */
  #flush(output: OutputBuffer): number {
    const error = output.flush(this.#fd);
    if (error === -EAGAIN) {
      this.#waitsFor = WRITABLE;
      return error;
    }
    if (error !== 0) return this.#breakBySystem(-error);
    output.close(this.#fd);
    this.#output = null;
    if (output.payload > 0) this.#blocked = 0;
    return output.payload;
  }

  /** Returns the negative error number of a failed call; 0 if the client's direction has ended. */
  #judge(result: number, errno: number): number {
    switch (this.#calls.outcome(this.#address, result)) {
      case Outcome.WANTS_READ:
        this.#waitsFor = READABLE;
        return -EAGAIN;
      case Outcome.WANTS_WRITE:
        this.#waitsFor = WRITABLE;
        return -EAGAIN;
      case Outcome.CLOSED:
        return 0;
      case Outcome.SYSTEM:
        return this.#breakBySystem(errno);
      default:
        return this.#breakByError();
    }
  }

  #breakBySystem(number: number): number {
    this.#calls.clearErrors();
    const error = number === 0 ? ECONNRESET : number;
    return this.#break(-error, 'ended', errorName(error));
  }

  #breakByError(): number {
    const { reason, text } = takeError();
    if (reason === NO_CERTIFICATE) return this.#break(-EPROTO, 'certificate', text);
    if (reason !== UNTRUSTED_CERTIFICATE) return this.#break(-EPROTO, 'protocol', text);
    const why = this.#calls.verifyText(this.#calls.verifyResult(this.#address));
    return this.#break(-EPROTO, 'certificate', `${text}: ${why}`);
  }

  #break(error: number, kind: TlsFailureKind, failure: string): number {
    this.#broken = error;
    this.#failureKind = kind;
    this.#failure = failure;
    return error;
  }
}
