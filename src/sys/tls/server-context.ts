import type { TicketKeyRing } from '../../core/ticket-key-ring.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { TLS_1_2, TLS_1_3, openssl } from '../openssl.ts';
import type { OpenSsl } from '../openssl-functions.ts';
import { addSubject, removeSubject } from './callbacks.ts';
import { TlsSetupError, setupError } from './errors.ts';
import { PemReader } from './pem-reader.ts';
import { TicketCipher } from './ticket-cipher.ts';

/** Texts in PEM: a certificate with its chain behind it, and its private key without a password. */
export interface KeyPair {
  readonly certPem: string;
  readonly keyPem: string;
}

/** Texts in PEM. */
export interface ClientCertificateTrust {
  /** The authorities. */
  readonly caPem: string;
  /** Lists of revoked certificates: one of each authority of a chain. Null to check none. */
  readonly crlPem: string | null;
  /** Whether a client without a certificate is refused. One with a bad certificate is refused in any case. */
  readonly isRequired: boolean;
}

export interface ServerContextSettings {
  /** At least one. Of several with keys of one type (RSA, EC) the first is used. */
  readonly certificates: readonly KeyPair[];
  readonly minVersion: '1.2' | '1.3';
  /** As in `ListenerTls`. A version without a cipher is not spoken. */
  readonly ciphers: string;
  readonly groups: string;
  readonly alpn: readonly string[];
  /** Null to ask for no certificate. */
  readonly clientCertificates: ClientCertificateTrust | null;
  readonly ticketKeys: TicketKeyRing;
  /** A session is resumed only in contexts with the same one. 1 to 32 bytes. */
  readonly sessionIdContext: Uint8Array;
}

const MAX_SESSION_ID_CONTEXT_BYTES = 32;
const MAX_PROTOCOL_BYTES = 255;
/** Max certificates between a client's own and that of an authority. */
const MAX_CLIENT_CHAIN = 4;
/**
 * Max age of a session that is resumed: the default of OpenSSL, and a shorter one if the session has a client
 * certificate, which may be revoked or expire meanwhile.
 */
const MAX_SESSION_AGE_S = 7200;
const MAX_CERTIFIED_SESSION_AGE_S = 300;

let live = 0;

/**
 * What TLS connections share (`SSL_CTX`). It belongs to the thread that has made it.
 *
 * A context that is closed lives on until its last connection is freed.
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

  /** @throws Error with OpenSSL's words if it cannot use the settings */
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

  /** Frees it when no connection uses it any more. No new connection can. May be called again. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    if (this.#connections === 0) this.#free();
  }

  /** Returns its address, for a new connection, which calls {@link leave} in the end. @throws Error if it is closed */
  enter(): number {
    if (!this.#isOpen) throw new Error('the TLS context is closed');
    this.#connections++;
    return this.#address;
  }

  /** Ends what {@link enter} has begun. */
  leave(): void {
    this.#connections--;
    if (!this.#isOpen && this.#connections === 0) this.#free();
  }

  #free(): void {
    removeSubject(this.#address);
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
    if (min > max) throw new TlsSetupError(`ciphers: none is for TLS ${minVersion}`);
    this.#check(this.#calls.setMinVersion(this.#address, min), 'the version');
    this.#check(this.#calls.setMaxVersion(this.#address, max), 'the version');
    if (older.length > 0) this.#setText('ciphers', older.join(':'), this.#calls.setCiphers);
    if (suites.length > 0) this.#setText('ciphers', suites.join(':'), this.#calls.setCipherSuites);
    this.#setGroups(groups);
  }

  /** OpenSSL does not say which group it does not know. */
  #setGroups(groups: string): void {
    const { setGroups } = this.#calls;
    if (this.#takesText(groups, setGroups)) return;
    const unknown = groups.split(':').find((group) => !this.#takesText(group, setGroups));
    throw new TlsSetupError(`groups: unknown: ${unknown ?? groups}`);
  }

  #setSessions(context: Uint8Array, hasCertificates: boolean): void {
    const { length } = context;
    if (length === 0 || length > MAX_SESSION_ID_CONTEXT_BYTES) {
      throw new RangeError(`a session id context of ${length} bytes`);
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
    const callbacks = addSubject(this.#address, subject);
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
    // Lent: it goes with the context.
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

/** Returns the pairs, without those whose key is of a type that an earlier one has: OpenSSL keeps the last of a type. */
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

/** Uses the next certificate of a text, and frees it. @throws TlsSetupError if there is none */
function withCertificate(calls: OpenSsl, reader: PemReader, use: (certificate: number) => void): void {
  const certificate = reader.certificate();
  if (certificate === 0) throw new TlsSetupError('certificate: none in the text');
  try {
    use(certificate);
  } finally {
    calls.freeCertificate(certificate);
  }
}

/** Uses all remaining certificates of a text, and frees them. Returns their number. */
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

/** Returns the protocols in the form of ALPN: each behind its length (RFC 7301 section 3.1). */
function protocolList(protocols: readonly string[]): PinnedBuffer | null {
  if (protocols.length === 0) return null;
  const parts = protocols.map((protocol) => {
    const bytes = Buffer.from(protocol, 'latin1');
    if (bytes.length === 0 || bytes.length > MAX_PROTOCOL_BYTES) {
      throw new RangeError(`an application protocol of ${bytes.length} bytes`);
    }
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  const list = Buffer.concat(parts);
  const memory = new PinnedBuffer(list.length);
  memory.bytes.set(list);
  return memory;
}
