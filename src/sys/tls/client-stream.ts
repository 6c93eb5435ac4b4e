import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { Outcome, openssl } from '../openssl.ts';
import type { OpenSsl } from '../openssl-functions.ts';
import { setupError } from './errors.ts';

const OK = 1;

/** What TLS connections of the proxy to itself share. It trusts every server, so it is for no other connections. */
export class ClientContext {
  readonly #calls: OpenSsl = openssl();
  readonly #name: PinnedBuffer;
  #address: number;
  /** The session that new connections resume; 0 for none. */
  #session = 0;

  /**
   * @param serverName that every connection asks for
   * @throws TlsSetupError without memory
   */
  constructor(serverName: string) {
    const text = Buffer.from(`${serverName}\0`, 'latin1');
    this.#name = new PinnedBuffer(text.length);
    this.#name.bytes.set(text);
    this.#address = this.#calls.newClientContext();
    if (this.#address === 0) throw setupError('TLS');
  }

  /** Makes the `SSL` of a connection, which resumes the kept session if there is one; 0 if that fails. */
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

  /** Keeps the session of a connection that ends, or drops the kept one: so handshakes of both kinds happen. */
  keepSession(stream: number): void {
    const session = this.#session === 0 ? this.#calls.session(stream) : 0;
    if (this.#session !== 0) this.#calls.freeSession(this.#session);
    this.#session = session;
  }

  /** Frees the context. Open connections go on. May be called again. */
  close(): void {
    if (this.#session !== 0) this.#calls.freeSession(this.#session);
    if (this.#address !== 0) this.#calls.freeContext(this.#address);
    this.#session = this.#address = 0;
  }
}

/** The client's end of a TLS connection (`SSL`) on a non-blocking socket, which stays the caller's. */
export class ClientStream {
  readonly #calls: OpenSsl = openssl();
  readonly #context: ClientContext;
  #address: number;

  /** @throws Error with OpenSSL's words if there is no memory */
  constructor(context: ClientContext, fd: number) {
    this.#context = context;
    this.#address = context.newStream(fd);
    if (this.#address === 0) throw setupError('TLS');
  }

  /** Goes on with the handshake: repeat it when the socket is readable until it returns another result than `read`. */
  handshake(): 'done' | 'read' | 'failed' {
    const result = this.#calls.connect(this.#open());
    if (result === OK) return 'done';
    return this.#waits(result) ? 'read' : 'failed';
  }

  /** Reads into `bytes[start, end)` of a buffer. Returns the number of bytes; 0 if there are none yet; -1 for the end. */
  read(buffer: PinnedBuffer, start: number, end: number): number {
    const count = this.#calls.read(this.#open(), addressWithin(buffer, start, end), end - start);
    if (count > 0) return count;
    return this.#waits(count) ? 0 : -1;
  }

  /** Encrypts and sends `bytes[start, end)` of a buffer, which the socket must have room for. Returns whether it had. */
  write(buffer: PinnedBuffer, start: number, end: number): boolean {
    const count = this.#calls.write(this.#open(), addressWithin(buffer, start, end), end - start);
    if (count === end - start) return true;
    this.#calls.clearErrors();
    return false;
  }

  /** Ends the connection in good order, and frees the memory. May be called again; any other call throws afterwards. */
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
