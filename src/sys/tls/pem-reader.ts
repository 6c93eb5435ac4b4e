import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { NO_PEM_BLOCK, openssl } from '../openssl.ts';
import { setupError, takeError, TlsSetupError } from './errors.ts';

/**
 * Reads the blocks of a PEM text (RFC 7468) in turn. The caller frees each object it reads.
 *
 * Keys with a password cannot be read: the password is empty, so that OpenSSL does not prompt for one.
 */
export class PemReader {
  readonly #what: string;
  readonly #memory: PinnedBuffer;
  readonly #password: number;
  #reader: number;

  /** @param what name of the text in error messages */
  constructor(what: string, text: string) {
    this.#what = what;
    const length = Buffer.byteLength(text);
    // The byte after the text is the empty password.
    this.#memory = new PinnedBuffer(length + 1);
    this.#memory.bytes.write(text);
    this.#password = addressWithin(this.#memory, length, length + 1);
    this.#reader = openssl().newReader(addressWithin(this.#memory, 0, length + 1), length);
    if (this.#reader === 0) throw setupError(what);
  }

  /** Returns the next certificate; 0 after the last one. @throws TlsSetupError if it cannot be read */
  certificate(): number {
    return this.#read(openssl().readCertificate);
  }

  /** Returns the next revocation list. Otherwise like {@link certificate}. */
  revocations(): number {
    return this.#read(openssl().readRevocations);
  }

  /** Returns the private key. @throws TlsSetupError if it is missing or cannot be read */
  privateKey(): number {
    const key = openssl().readPrivateKey(this.#reader, this.#password);
    if (key === 0) throw setupError(this.#what);
    return key;
  }

  /** Wipes and frees the memory. Idempotent. */
  close(): void {
    if (this.#reader === 0) return;
    openssl().freeReader(this.#reader);
    this.#reader = 0;
    this.#memory.bytes.fill(0);
    this.#memory.free();
  }

  #read(read: (reader: number, password: number) => number): number {
    const object = read(this.#reader, this.#password);
    if (object !== 0) return object;
    const { reason, text } = takeError();
    if (reason === NO_PEM_BLOCK) return 0;
    throw new TlsSetupError(`${this.#what}: ${text}`);
  }
}
