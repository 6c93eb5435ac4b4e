import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { Outcome, openssl } from '../openssl.ts';
import type { OpenSsl } from '../openssl-functions.ts';
import { setupError } from './errors.ts';

const OK = 1;

/** Shared state of sluice's TLS connections to itself. It trusts every server: do not use it for others. */
export class ClientContext {
  readonly #calls: OpenSsl = openssl();
  readonly #name: PinnedBuffer;
  #address: number;
  /** Session that new connections resume; 0 for none. */
  #session = 0;

  /**
   * @param serverName name that every connection requests
   * @throws TlsSetupError if memory runs out
   */
  constructor(serverName: string) {
    const text = Buffer.from(`${serverName}\0`, 'latin1');
    this.#name = new PinnedBuffer(text.length);
    this.#name.bytes.set(text);
    this.#address = this.#calls.newClientContext();
    if (this.#address === 0) throw setupError('TLS');
  }

  /** Creates the `SSL` of a connection, which resumes the kept session if any. Returns 0 on failure. */
  newStream(fd: number): number {
    const calls = this.#calls;
    if (this.#address === 0) return 0;
    const stream = calls.newStream(this.#address);
    if (stream === 0) return 0;
    const name = addressWithin(this.#name, 0, this.#name.bytes.length);
    const isReady = calls.setDescriptor(stream, fd) === OK && calls.setServerName(stream, name) === OK;
    if (isReady && (this.#session === 0 || calls.resume(stream, this.#session) === OK)) return stream;
    calls.freeStream(stream);
    return 0;
  }

  /**
   * Keeps the session of an ending connection, or drops the kept one, so that full and resumed handshakes
   * alternate.
   */
  keepSession(stream: number): void {
    const session = this.#session === 0 ? this.#calls.session(stream) : 0;
    if (this.#session !== 0) this.#calls.freeSession(this.#session);
    this.#session = session;
  }

  /** Frees the context. Open connections continue. Idempotent. */
  close(): void {
    if (this.#session !== 0) this.#calls.freeSession(this.#session);
    if (this.#address !== 0) this.#calls.freeContext(this.#address);
    this.#session = this.#address = 0;
  }
}

/** The client's end of a TLS connection (`SSL`) on a non-blocking socket, which the caller owns. */
export class ClientStream {
  readonly #calls: OpenSsl = openssl();
  readonly #context: ClientContext;
  #address: number;

  /** @throws TlsSetupError with OpenSSL's message if memory runs out */
  constructor(context: ClientContext, fd: number) {
    this.#context = context;
    this.#address = context.newStream(fd);
    if (this.#address === 0) throw setupError('TLS');
  }

  /** Continues the handshake. On `read`, call it again once the socket is readable. */
  handshake(): 'done' | 'read' | 'failed' {
    const result = this.#calls.connect(this.#open());
    if (result === OK) return 'done';
    return this.#waits(result) ? 'read' : 'failed';
  }

  /**
   * Reads into `bytes[start, end)` of a buffer. Returns the number of bytes; 0 if none are available; -1 at
   * the end.
   */
  read(buffer: PinnedBuffer, start: number, end: number): number {
    const count = this.#calls.read(this.#open(), addressWithin(buffer, start, end), end - start);
    if (count > 0) return count;
    return this.#waits(count) ? 0 : -1;
  }

  /**
   * Encrypts and sends `bytes[start, end)` of a buffer. Returns false if the socket lacks room for all of it.
   */
  write(buffer: PinnedBuffer, start: number, end: number): boolean {
    const count = this.#calls.write(this.#open(), addressWithin(buffer, start, end), end - start);
    if (count === end - start) return true;
    this.#calls.clearErrors();
    return false;
  }

  /** Closes the connection cleanly, and frees the memory. Idempotent. Any other call throws afterwards. */
  end(): void {
    if (this.#address === 0) return;
    this.#calls.shutdown(this.#address);
    this.#context.keepSession(this.#address);
    this.#calls.freeStream(this.#address);
    this.#calls.clearErrors();
    this.#address = 0;
  }

  #waits(result: number): boolean {
    const outcome = this.#calls.outcome(this.#open(), result);
    this.#calls.clearErrors();
    return outcome === Outcome.WANTS_READ;
  }

  #open(): number {
    if (this.#address === 0) throw new Error('the TLS stream has ended');
    return this.#address;
  }
}
