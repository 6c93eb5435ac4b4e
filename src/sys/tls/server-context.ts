import type { TicketKeyRing } from '../../core/ticket-key-ring.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { TLS_1_2, TLS_1_3, openssl } from '../openssl.ts';
import type { OpenSsl } from '../openssl-functions.ts';
import { registerContext, unregisterContext } from './callbacks.ts';
import { TlsSetupError, setupError } from './errors.ts';
import { PemReader } from './pem-reader.ts';
import { TicketCipher } from './ticket-cipher.ts';

/** PEM texts: a certificate followed by its chain, and its private key without a password. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** PEM texts that decide which client certificates are trusted. */
export interface ClientCertificateTrust {
  /** Certificate authorities. */
  readonly caPem: string;
  /** Revocation lists: one for each authority of a chain. Null to check none. */
  readonly crlPem: string | null;
  /** Whether clients without a certificate are refused. A bad certificate is always refused. */
  readonly isRequired: boolean;
}

export interface ServerContextSettings {
  /** At least one. The first certificate of each key type (RSA, EC) is used. */
  readonly certificates: readonly KeyPair[];
  readonly minVersion: '1.2' | '1.3';
  /** As in `ListenerTls`. Versions without a cipher are disabled. */
  readonly ciphers: string;
  readonly groups: string;
  readonly alpn: readonly string[];
  /** Null to request no certificate. */
  readonly clientCertificates: ClientCertificateTrust | null;
  readonly ticketKeys: TicketKeyRing;
  /** Sessions resume only in contexts with an equal value. 1 to 32 bytes. */
  readonly sessionIdContext: Uint8Array;
}

const MAX_SESSION_ID_CONTEXT_BYTES = 32;
const MAX_PROTOCOL_BYTES = 255;
/** Max certificates between a client's certificate and an authority. */
const MAX_CLIENT_CHAIN = 4;
/**
 * Max age of resumable sessions. The first is OpenSSL's default. The second is for sessions with a client
 * certificate, which may be revoked or expire in that time.
 */
const MAX_SESSION_AGE_S = 7200;
const MAX_CERTIFIED_SESSION_AGE_S = 300;

let live = 0;

/**
 * Shared state of TLS connections (`SSL_CTX`). Belongs to the thread that created it.
 *
 * A closed context lives until its last connection is freed.
 */
export class ServerContext {
  /** Contexts of this thread that are not freed. */
  static get live(): number {
    return live;
  }

  readonly #calls: OpenSsl = openssl();
  readonly #tickets: TicketCipher;
  readonly #protocols: PinnedBuffer | null;
  readonly #address: number;
  #isOpen = true;
  #connections = 0;

  /** @throws Error with OpenSSL's message if the settings are unusable */
  constructor(settings: ServerContextSettings) {
    this.#calls.clearErrors();
    this.#protocols = protocolList(settings.alpn);
    this.#tickets = new TicketCipher(settings.ticketKeys);
    this.#address = this.#calls.newContext();
    if (this.#address === 0) {
      this.#tickets.free();
      throw setupError('TLS');
    }
    live++;
    try {
      this.#setVersions(settings);
      this.#setSessions(settings.sessionIdContext, settings.clientCertificates !== null);
      this.#setCallbacks();
      for (const pair of firstOfEachType(this.#calls, settings.certificates)) this.#use(pair);
      if (settings.clientCertificates !== null) this.#trust(settings.clientCertificates);
    } catch (error) {
      this.close();
      throw error;
    } finally {
      this.#calls.clearErrors();
    }
  }

  /** Refuses new connections, and frees the context after its last connection. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#connections === 0) this.#free();
  }

  /**
   * Returns the address for a new connection, which must call {@link release} when it ends.
   *
   * @throws Error if the context is closed
   */
  acquire(): number {
    if (!this.#isOpen) throw new Error('the TLS context is closed');
    this.#connections++;
    return this.#address;
  }

  /** Releases the reference that {@link acquire} took. */
  release(): void {
    this.#connections--;
    if (!this.#isOpen && this.#connections === 0) this.#free();
  }

  #free(): void {
    unregisterContext(this.#address);
    this.#calls.freeContext(this.#address);
    this.#tickets.free();
    live--;
  }

  #setVersions({ minVersion, ciphers, groups }: ServerContextSettings): void {
    this.#check(this.#calls.setUp(this.#address) ? 1 : 0, 'TLS');
    const names = ciphers.split(':').filter((name) => name !== '');
    const suites = names.filter((name) => name.startsWith('TLS_'));
    const older = names.filter((name) => !name.startsWith('TLS_'));
    const min = minVersion === '1.3' || older.length === 0 ? TLS_1_3 : TLS_1_2;
    const max = suites.length === 0 ? TLS_1_2 : TLS_1_3;
    if (min > max) throw new TlsSetupError(`ciphers: none supports TLS ${minVersion}`);
    this.#check(this.#calls.setMinVersion(this.#address, min), 'the version');
    this.#check(this.#calls.setMaxVersion(this.#address, max), 'the version');
    if (older.length > 0) this.#setText('ciphers', older.join(':'), this.#calls.setCiphers);
    if (suites.length > 0) this.#setText('ciphers', suites.join(':'), this.#calls.setCipherSuites);
    this.#setGroups(groups);
  }

  /** Sets the key exchange groups. OpenSSL does not say which group is unknown, so this tries each. */
  #setGroups(groups: string): void {
    const { setGroups } = this.#calls;
    if (this.#takesText(groups, setGroups)) return;
    const unknown = groups.split(':').find((group) => !this.#takesText(group, setGroups));
    throw new TlsSetupError(`groups: unknown: ${unknown ?? groups}`);
  }

  #setSessions(context: Uint8Array, hasCertificates: boolean): void {
    const { length } = context;
    if (length === 0 || length > MAX_SESSION_ID_CONTEXT_BYTES) {
      throw new RangeError(
        `a session ID context must have 1 to ${MAX_SESSION_ID_CONTEXT_BYTES} bytes, not ${length}`,
      );
    }
    const memory = new PinnedBuffer(length);
    memory.bytes.set(context);
    const bytes = addressWithin(memory, 0, length);
    this.#check(this.#calls.setSessionIdContext(this.#address, bytes, length), 'the session id context');
    this.#calls.setSessionTimeout(
      this.#address,
      hasCertificates ? MAX_CERTIFIED_SESSION_AGE_S : MAX_SESSION_AGE_S,
    );
  }

  #setCallbacks(): void {
    const subject = { tickets: this.#tickets, protocols: this.#protocols };
    const callbacks = registerContext(this.#address, subject);
    this.#check(this.#calls.setTicketCallback(this.#address, callbacks.ticket), 'tickets');
    if (this.#protocols !== null) {
      this.#calls.setProtocolCallback(this.#address, callbacks.protocol, this.#address);
    }
  }

  #use({ certPem, keyPem }: KeyPair): void {
    const calls = this.#calls;
    withPem('certificate', certPem, (reader) => {
      withCertificate(calls, reader, (certificate) => {
        this.#check(calls.useCertificate(this.#address, certificate), 'certificate');
      });
      eachCertificate(calls, reader, (certificate) => {
        this.#check(calls.addChainCertificate(this.#address, certificate), 'chain of the certificate');
      });
    });
    withPem('private key', keyPem, (reader) => {
      const key = reader.privateKey();
      try {
        this.#check(calls.usePrivateKey(this.#address, key), 'private key');
        this.#check(calls.checkPrivateKey(this.#address), 'private key');
      } finally {
        calls.freeKey(key);
      }
    });
  }

  #trust({ caPem, crlPem, isRequired }: ClientCertificateTrust): void {
    const calls = this.#calls;
    // Borrowed: the context owns it.
    const store = calls.trustStore(this.#address);
    const count = withPem('authorities', caPem, (reader) => {
      return eachCertificate(calls, reader, (certificate) => {
        this.#check(calls.trust(store, certificate), 'authorities');
        this.#check(calls.addClientAuthority(this.#address, certificate), 'authorities');
      });
    });
    if (count === 0) throw new TlsSetupError('authorities: no certificate');
    if (crlPem !== null) this.#checkRevocations(store, crlPem);
    calls.askForCertificate(this.#address, isRequired, MAX_CLIENT_CHAIN);
  }

  #checkRevocations(store: number, crlPem: string): void {
    const calls = this.#calls;
    const count = withPem('revocation lists', crlPem, (reader) => {
      let lists = 0;
      for (let list = reader.revocations(); list !== 0; list = reader.revocations()) {
        try {
          this.#check(calls.addRevocations(store, list), 'revocation lists');
        } finally {
          calls.freeRevocations(list);
        }
        lists++;
      }
      return lists;
    });
    if (count === 0) throw new TlsSetupError('revocation lists: none');
    this.#check(calls.checkRevocations(store), 'revocation lists');
  }

  #setText(what: string, text: string, set: (context: number, text: number) => number): void {
    if (!this.#takesText(text, set)) throw setupError(what);
  }

  /** @param set takes the address of the text */
  #takesText(text: string, set: (context: number, text: number) => number): boolean {
    const bytes = Buffer.from(`${text}\0`);
    const memory = new PinnedBuffer(bytes.length);
    memory.bytes.set(bytes);
    return set(this.#address, addressWithin(memory, 0, bytes.length)) === 1;
  }

  #check(result: number, what: string): void {
    if (result !== 1) throw setupError(what);
  }
}

/** Drops pairs whose key type an earlier pair has: OpenSSL would keep the last of a type. */
function firstOfEachType(calls: OpenSsl, pairs: readonly KeyPair[]): KeyPair[] {
  if (pairs.length === 0) throw new TlsSetupError('certificate: none');
  const types = new Set<number>();
  return pairs.filter(({ certPem }) => {
    const type = withPem('certificate', certPem, (reader) => {
      let found = 0;
      withCertificate(calls, reader, (certificate) => {
        const key = calls.keyOf(certificate);
        if (key === 0) throw setupError('certificate');
        found = calls.typeOfKey(key);
      });
      return found;
    });
    const isNew = !types.has(type);
    types.add(type);
    return isNew;
  });
}

function withPem<T>(what: string, text: string, use: (reader: PemReader) => T): T {
  const reader = new PemReader(what, text);
  try {
    return use(reader);
  } finally {
    reader.close();
  }
}

/** Uses and frees the next certificate of a text. @throws TlsSetupError if there is none */
function withCertificate(calls: OpenSsl, reader: PemReader, use: (certificate: number) => void): void {
  const certificate = reader.certificate();
  if (certificate === 0) throw new TlsSetupError('certificate: none in the text');
  try {
    use(certificate);
  } finally {
    calls.freeCertificate(certificate);
  }
}

/** Uses and frees all remaining certificates of a text. Returns their number. */
function eachCertificate(calls: OpenSsl, reader: PemReader, use: (certificate: number) => void): number {
  let count = 0;
  for (let next = reader.certificate(); next !== 0; next = reader.certificate()) {
    try {
      use(next);
    } finally {
      calls.freeCertificate(next);
    }
    count++;
  }
  return count;
}

/** Returns the protocols in ALPN form: each after its length (RFC 7301 section 3.1). */
function protocolList(protocols: readonly string[]): PinnedBuffer | null {
  if (protocols.length === 0) return null;
  const parts = protocols.map((protocol) => {
    const bytes = Buffer.from(protocol, 'latin1');
    if (bytes.length === 0 || bytes.length > MAX_PROTOCOL_BYTES) {
      throw new RangeError(
        `an application protocol must have 1 to ${MAX_PROTOCOL_BYTES} bytes, not ${bytes.length}`,
      );
    }
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const list = Buffer.concat(parts);
  const memory = new PinnedBuffer(list.length);
  memory.bytes.set(list);
  return memory;
}
