import { TICKET_KEY_BYTES, type TicketKeyRing } from '../../core/ticket-key-ring.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import { PARAMETER_BYTES, PARAMETER_SIZE, PARAMETER_TEXT, UNMODIFIED, openssl } from '../openssl.ts';
import type { OpenSsl } from '../openssl-functions.ts';
import { setupError } from './errors.ts';

/** Results for OpenSSL (SSL_CTX_set_tlsext_ticket_key_evp_cb). */
const FAULT = -1;
const UNKNOWN_KEY = 0;
const DONE = 1;
const DONE_AND_RENEW = 2;

const NAME_BYTES = 16;
const SECRET = { start: 16, end: 48 } as const;
const CIPHER_KEY = { start: 48, end: 80 } as const;
const IV_BYTES = 16;
/** NUL-terminated names of parameters, and a value. */
const TEXTS = { key: 0, digest: 8, sha256: 16, end: 24 } as const;
/** A list of two parameters and a terminator. */
const LIST_BYTES = 3 * PARAMETER_SIZE;
const ENTRY_BYTES = TICKET_KEY_BYTES + LIST_BYTES;

/** The keys of a ring at fixed addresses, with their MAC parameters. */
interface PinnedKeys {
  readonly keys: readonly Buffer[];
  readonly memory: PinnedBuffer;
}

/**
 * Prepares the encryption of session tickets (RFC 5077 section 4) with the keys of a ring: AES-256-CBC and
 * HMAC-SHA256, as in nginx. OpenSSL passes the addresses of a ticket's name and initialization vector, and of
 * its operations.
 */
export class TicketCipher {
  readonly #ring: TicketKeyRing;
  readonly #calls: OpenSsl = openssl();
  readonly #copy = nativeCalls().copy;
  readonly #name = new PinnedBuffer(NAME_BYTES);
  #cipher: number;
  #pinned: PinnedKeys | null = null;

  constructor(ring: TicketKeyRing) {
    this.#ring = ring;
    this.#cipher = this.#calls.newTicketCipher();
    if (this.#cipher === 0) throw setupError('AES-256-CBC');
  }

  /** Prepares a new ticket. Returns 1, 0 for no ticket, or -1. */
  encrypt(name: number, iv: number, cipher: number, mac: number): number {
    const { keys, memory } = this.#currentKeys();
    if (keys.length === 0) return UNKNOWN_KEY;
    if (this.#calls.randomBytes(iv, IV_BYTES) !== 1) return FAULT;
    this.#copy(name, addressWithin(memory, 0, NAME_BYTES), NAME_BYTES);
    const key = addressWithin(memory, CIPHER_KEY.start, CIPHER_KEY.end);
    if (this.#calls.encryptWith(cipher, this.#cipher, key, iv, 0) !== 1) return FAULT;
    return this.#setMac(mac, memory, 0) ? DONE : FAULT;
  }

  /**
   * Prepares the decryption of a client's ticket.
   *
   * @param isUsedOnce whether the client always gets a new ticket for its next connection
   * @returns 1, 2 if the client should get a new ticket, 0 to ignore the ticket, or -1
   */
  decrypt(name: number, iv: number, cipher: number, mac: number, isUsedOnce: boolean): number {
    const { keys, memory } = this.#currentKeys();
    this.#copy(addressWithin(this.#name, 0, NAME_BYTES), name, NAME_BYTES);
    const index = keys.findIndex((key) => this.#name.bytes.compare(key, 0, NAME_BYTES) === 0);
    if (index === -1) return UNKNOWN_KEY;
    const start = index * ENTRY_BYTES;
    const key = addressWithin(memory, start + CIPHER_KEY.start, start + CIPHER_KEY.end);
    if (!this.#setMac(mac, memory, start)) return FAULT;
    if (this.#calls.decryptWith(cipher, this.#cipher, key, iv, 0) !== 1) return FAULT;
    return index === 0 && !isUsedOnce ? DONE : DONE_AND_RENEW;
  }

  /** Wipes the keys and frees the memory. Idempotent. */
  free(): void {
    if (this.#cipher !== 0) this.#calls.freeCipher(this.#cipher);
    this.#cipher = 0;
    wipe(this.#pinned);
    this.#pinned = null;
  }

  #setMac(mac: number, memory: PinnedBuffer, start: number): boolean {
    const list = start + TICKET_KEY_BYTES;
    return this.#calls.setMacParameters(mac, addressWithin(memory, list, list + LIST_BYTES)) === 1;
  }

  #currentKeys(): PinnedKeys {
    const { keys } = this.#ring;
    if (this.#pinned?.keys !== keys) {
      wipe(this.#pinned);
      this.#pinned = pin(keys);
    }
    return this.#pinned;
  }
}

/** Lays out the keys' entries in memory, followed by the texts of their parameters. */
function pin(keys: readonly Buffer[]): PinnedKeys {
  const texts = keys.length * ENTRY_BYTES;
  const memory = new PinnedBuffer(texts + TEXTS.end);
  const { bytes } = memory;
  bytes.write('key\0', texts + TEXTS.key);
  bytes.write('digest\0', texts + TEXTS.digest);
  bytes.write('SHA256\0', texts + TEXTS.sha256);
  const textAt = (offset: number): number => addressWithin(memory, texts + offset, texts + TEXTS.end);
  for (const [index, key] of keys.entries()) {
    const start = index * ENTRY_BYTES;
    const list = start + TICKET_KEY_BYTES;
    bytes.set(key, start);
    const secret = addressWithin(memory, start + SECRET.start, start + SECRET.end);
    writeParameter(bytes, list, textAt(TEXTS.key), PARAMETER_BYTES, secret, SECRET.end - SECRET.start);
    writeParameter(
      bytes,
      list + PARAMETER_SIZE,
      textAt(TEXTS.digest),
      PARAMETER_TEXT,
      textAt(TEXTS.sha256),
      'SHA256'.length,
    );
  }
  return { keys, memory };
}

/** Writes an `OSSL_PARAM`. A list ends with a zero entry. */
function writeParameter(
  bytes: Buffer,
  offset: number,
  name: number,
  type: number,
  value: number,
  length: number,
): void {
  bytes.writeBigUInt64LE(BigInt(name), offset);
  bytes.writeUInt32LE(type, offset + 8);
  bytes.writeBigUInt64LE(BigInt(value), offset + 16);
  bytes.writeBigUInt64LE(BigInt(length), offset + 24);
  bytes.writeBigUInt64LE(UNMODIFIED, offset + 32);
}

function wipe(pinned: PinnedKeys | null): void {
  if (pinned === null) return;
  pinned.memory.bytes.fill(0);
  pinned.memory.free();
}
