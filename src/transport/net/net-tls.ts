import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket, createSecureContext, type SecureContext } from 'node:tls';
import type { Certificate, ListenerTls } from '../../config/types/listener.ts';
import { pemBlocks } from '../../core/certificate/pem.ts';
import type { TicketKeyRing } from '../../core/ticket-key-ring.ts';
import { destroyOnError } from '../../sys/node/tls-sockets.ts';
import type { ClientHello } from '../../wire/tls/client-hello.ts';
import { CertificateChoice } from '../certificate-choice.ts';
import type { ClientTls } from '../client-transport.ts';
import { sessionIdContextOf } from '../session-id-context.ts';

const OPTIONS = constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE;

/** TLS of one listener on Node's sockets. */
export class NetTls implements ClientTls {
  readonly settings: ListenerTls;
  readonly #contexts: CertificateChoice<NetContext>;

  /** @throws Error from OpenSSL if it rejects certificates, ciphers, groups or authorities */
  constructor(listener: string, settings: ListenerTls, ticketKeys: TicketKeyRing) {
    this.settings = settings;
    // Node takes text here, and OpenSSL allows 32 characters.
    const sessions = sessionIdContextOf(listener, settings.clientCertificates).toString('hex', 0, 16);
    this.#contexts = new CertificateChoice(
      settings.certificates,
      (certificates) => new NetContext(certificates, settings, sessions, ticketKeys),
    );
  }

  /** Starts the handshake on an unread connection. Errors destroy the returned socket. */
  secure(socket: Socket, hello: ClientHello): TLSSocket {
    const { alpn, clientCertificates } = this.settings;
    // Node refuses a client without a common protocol. RFC 7301 allows the server to choose none, as other
    // servers do.
    const protocol = alpn.find((name) => hello.protocols.includes(name));
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#contexts.of(hello.serverName).current(),
      ...(protocol !== undefined && { ALPNProtocols: [protocol] }),
      requestCert: clientCertificates !== null,
      // If required, OpenSSL refuses clients without a certificate. The certificate itself is checked
      // afterwards.
      rejectUnauthorized: clientCertificates?.isRequired === true,
    });
    destroyOnError(secured);
    secured.pause();
    return secured;
  }

  close(): void {
    // Garbage collection frees the contexts.
  }
}

/** An OpenSSL context. Node's contexts hold one ticket key, so a new key needs a new context. */
class NetContext {
  readonly #make: (ticketKey: Buffer | undefined) => SecureContext;
  readonly #ticketKeys: TicketKeyRing;
  #ticketKey: Buffer | undefined;
  #context: SecureContext;

  constructor(
    certificates: readonly Certificate[],
    settings: ListenerTls,
    sessions: string,
    ticketKeys: TicketKeyRing,
  ) {
    const { minVersion, ciphers, groups, clientCertificates } = settings;
    const options = {
      cert: certificates.map(({ certPem }) => certPem),
      key: certificates.map(({ keyPem }) => keyPem),
      minVersion: `TLSv${minVersion}`,
      ciphers,
      ecdhCurve: groups,
      secureOptions: OPTIONS,
      sessionIdContext: sessions,
      // An empty list keeps Node from loading its own authorities.
      ca: clientCertificates === null ? [] : clientCertificates.caPem,
      // Node reads only the first CRL of a string.
      ...(clientCertificates?.crlPem && { crl: pemBlocks(clientCertificates.crlPem, 'X509 CRL') }),
    } as const;
    this.#make = (ticketKey) =>
      createSecureContext({ ...options, ...(ticketKey && { ticketKeys: nodeTicketKey(ticketKey) }) });
    this.#ticketKeys = ticketKeys;
    [this.#ticketKey] = ticketKeys.keys;
    this.#context = this.#make(this.#ticketKey);
  }

  /** Returns the context with the current ticket key. */
  current(): SecureContext {
    const [ticketKey] = this.#ticketKeys.keys;
    if (ticketKey !== this.#ticketKey) {
      this.#context = this.#make(ticketKey);
      this.#ticketKey = ticketKey;
    }
    return this.#context;
  }
}

/**
 * Derives Node's ticket key: 48 bytes for its name, HMAC-SHA256 and AES-128. The name differs from the
 * original key's, because only Node can decrypt these tickets.
 */
function nodeTicketKey(key: Buffer): Buffer {
  return createHash('sha384').update('ticket key of Node').update(key).digest();
}
