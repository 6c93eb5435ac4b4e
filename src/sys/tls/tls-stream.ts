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
 * Why a connection is broken: it ended or was reset, the client's certificate is missing or bad, or one side broke the protocol or
 * refused what the other offered.
 */
export type TlsFailureKind = 'ended' | 'certificate' | 'protocol';

const OK = 1;
/** Max payload of a record (RFC 8446 section 5.1). */
const MAX_RECORD_BYTES = 16 * 1024;
/** OpenSSL takes lengths as `int`. */
const MAX_LENGTH = 0x7fff_ffff;
/**
 * Max handshake messages in a row behind the handshake, such as KeyUpdate (RFC 8446 section 4.6.3): each costs more than its
 * sending, and OpenSSL 3 has no limit.
 */
const MAX_LATE_MESSAGES = 32;
/** What a call can wait for: the socket, or that the blocked write is repeated. */
const NOTHING = 0;
const READABLE = 1;
const WRITABLE = 2;
const REPETITION = 3;

let live = 0;

/**
 * The server's end of a TLS connection (`SSL`) on a non-blocking socket, which stays the caller's.
 *
 * OpenSSL decides by the errors of the thread what a failed call means: `clearErrors` must have run since other code used
 * OpenSSL in this thread, as Node does.
 *
 * When a call has returned -EAGAIN, {@link wantsRead}, {@link wantsWrite} and {@link wantsRepetition} tell what to wait for.
 * OpenSSL reads more from the socket than it returns: while {@link hasPending} is true, epoll does not tell of these bytes.
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
  /** Bytes of the write that has to be repeated. */
  #blocked = 0;
  /** Takes what OpenSSL writes while the socket is full, so that reads can go on. Null for nearly all streams. */
  #output: OutputBuffer | null = null;
  /** OpenSSL has been given the close_notify, and has sent it or not. */
  #isClosing = false;
  #hasClosed = false;
  /** The error number of a connection that cannot be used any more; 0 for none. */
  #broken = 0;
  #failure = '';
  #failureKind: TlsFailureKind = 'protocol';

  /** @throws Error if the context is closed, or without memory */
  constructor(context: ServerContext, fd: number) {
    checkDescriptor(fd);
    this.#context = context;
    this.#fd = fd;
    this.#address = this.#calls.newStream(context.enter());
    live++;
    if (this.#address !== 0 && this.#calls.setDescriptor(this.#address, fd) === OK) return;
    const { text } = takeError();
    this.#release();
    throw new Error(`TLS: ${text}`);
  }

  /** In a few words why the connection is broken: no bytes of the client's. Empty if it is not. */
  get failure(): string {
    return this.#failure;
  }

  /** The kind of the {@link failure}. Means nothing without one. */
  get failureKind(): TlsFailureKind {
    return this.#failureKind;
  }

  get wantsRead(): boolean {
    return this.#waitsFor === READABLE;
  }

  get wantsWrite(): boolean {
    return this.#waitsFor === WRITABLE;
  }

  /** Whether reads wait until the blocked write is repeated. Repeat it at once: the socket needs no room. */
  get wantsRepetition(): boolean {
    return this.#waitsFor === REPETITION;
  }

  /**
   * Whether OpenSSL has bytes that a read may return. Ask behind each read that has returned some: if there are none, wait
   * for the socket. Bytes of an incomplete record count, too: the next read returns -EAGAIN, and only the socket can help.
   */
  get hasPending(): boolean {
    return this.#calls.hasPending(this.#open()) === 1;
  }

  /**
   * Goes on with the handshake. Repeat it when the socket is ready for what it returns. Ask {@link hasPending} when it is done:
   * the client's first bytes may have come with its last message.
   */
  handshake(): 'done' | 'read' | 'write' | 'failed' {
    const address = this.#open();
    if (this.#broken !== 0) return 'failed';
    const result = this.#calls.accept(address);
    if (result === OK) {
      // A handshake may get over an error, which must not spoil the next call.
      this.#calls.clearErrors();
      return 'done';
    }
    const error = this.#judge(result, nativeCalls().errno());
    if (error === 0) this.#break(-ENODATA, 'ended', 'the client has closed');
    if (error !== -EAGAIN) return 'failed';
    return this.#waitsFor === WRITABLE ? 'write' : 'read';
  }

  /**
   * Reads into `bytes[start, end)` of a buffer, at most one record (16 KiB).
   *
   * @returns number of bytes; 0 for the client's close_notify; a negative error number: -EAGAIN if there is nothing yet,
   * -ENODATA for FIN without close_notify, -EPROTO for a breach of the protocol, -ECONNRESET … Writes go on behind both ends.
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
   * After -EAGAIN OpenSSL holds an encrypted record of these bytes, and counts them only when it is sent. The next write must
   * begin with the same bytes, and have at least as many, or 16 KiB: they may stand elsewhere, and more may follow.
   *
   * @returns number of bytes, 1 or more; a negative error number: -EAGAIN without room
   * @throws RangeError if it is shorter than the write that it repeats: OpenSSL would break the connection
   */
  write(buffer: PinnedBuffer, start: number, end: number): number {
    const address = this.#open();
    if (this.#broken !== 0) return this.#broken;
    const place = addressWithin(buffer, start, end);
    // More would not go, and a write that is blocked would have to be repeated with more.
    const length = Math.min(end - start, MAX_RECORD_BYTES);
    if (length < this.#blocked) {
      throw new RangeError(`${length} bytes do not repeat a write of ${this.#blocked}`);
    }
    if (this.#output !== null) {
      const sent = this.#flush(this.#output);
      if (sent !== 0) return sent;
    } else if (this.#waitsFor === REPETITION) {
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
    // A write has no end of its own.
    return error === 0 ? -EPIPE : error;
  }

  /**
   * Tells the client that nothing follows (close_notify). Reads go on, writes do not.
   *
   * @returns 0 if it is sent; a negative error number: -EAGAIN if it must be repeated, or if a write must be repeated first
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
    // A close_notify in the output buffer is sent now. If OpenSSL were asked again, it would read.
    if (output === null || !this.#isClosing) {
      const error = this.#shutDown(address);
      if (error !== 0) return error;
    }
    this.#hasClosed = true;
    return 0;
  }

  /**
   * Returns the client's certificate in DER, which has been verified; null without one. Call it when the handshake is done.
   *
   * @throws RangeError if it is longer than 100 KiB
   */
  clientCertificate(): Buffer | null {
    return peerCertificateOf(this.#calls, this.#open());
  }

  /** Frees the memory. The socket stays open. May be called again; any other call throws afterwards. */
  free(): void {
    if (this.#address !== 0) this.#release();
  }

  #release(): void {
    if (this.#address !== 0) this.#calls.freeStream(this.#address);
    this.#output?.free();
    this.#output = null;
    this.#address = 0;
    this.#context.leave();
    live--;
  }

  #open(): number {
    if (this.#address === 0) throw new Error('the TLS stream is freed');
    return this.#address;
  }

  /**
   * Makes sure that OpenSSL can answer a request for new keys during a read. It sends the answer with the next write, or at once
   * when another handshake message comes first. The latter breaks the connection while a record is sent in part
   * (SSL_R_BAD_LENGTH, openssl/openssl#8677), so the rest of the record must be in memory. Only the caller has the bytes that
   * OpenSSL wants to see again for it. Behind close_notify nothing may be sent: the answer goes to memory and is dropped. If
   * close_notify itself is not sent yet, it goes to memory first.
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
      this.#waitsFor = REPETITION;
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

  /** Lets OpenSSL send close_notify. Returns 0 if it is sent; a negative error number. */
  #shutDown(address: number): number {
    this.#isClosing = true;
    const result = this.#calls.shutdown(address);
    return result < 0 ? this.#judge(result, nativeCalls().errno()) : 0;
  }

  /** Lets OpenSSL write to memory, so that it never waits for the socket. */
  #divert(address: number): void {
    this.#output = new OutputBuffer(this.#calls, address);
    this.#waitsFor = NOTHING;
  }

  /** Sends what is in the output buffer. Returns the bytes of a write that are sent, or 0; a negative error number. */
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

  /** Returns the error number, negative, of a call that has not succeeded; 0 if the client's direction has ended. */
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
