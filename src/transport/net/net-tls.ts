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

/** TLS of one listener by Node's own sockets. */
export class NetTls implements ClientTls {
  readonly settings: ListenerTls;
  readonly #contexts: CertificateChoice<NetContext>;

  /** Throws OpenSSL's error if certificates, ciphers, groups or authorities cannot be used. */
  constructor(listener: string, settings: ListenerTls, ticketKeys: TicketKeyRing) {
    this.settings = settings;
    // Node takes it as text, of which OpenSSL's maximum is 32 characters.
    const sessions = sessionIdContextOf(listener, settings.clientCertificates).toString('hex', 0, 16);
    this.#contexts = new CertificateChoice(
      settings.certificates,
      (certificates) => new NetContext(certificates, settings, sessions, ticketKeys),
    );
  }

  /** Starts the handshake of a client, of whose connection nothing has been read. Errors destroy the returned socket. */
  secure(socket: Socket, hello: ClientHello): TLSSocket {
    const { alpn, clientCertificates } = this.settings;
    // Node refuses a client with which it shares no protocol. RFC 7301 allows to choose none, as other servers do.
    const protocol = alpn.find((name) => hello.protocols.includes(name));
    const secured = new TLSSocket(socket, {
      isServer: true,
      secureContext: this.#contexts.of(hello.serverName).current(),
      ...(protocol !== undefined && { ALPNProtocols: [protocol] }),
      requestCert: clientCertificates !== null,
      // For a server of its own, OpenSSL refuses clients without a certificate; the certificate is checked afterwards.
      rejectUnauthorized: clientCertificates?.isRequired === true,
    });
    destroyOnError(secured);
    secured.pause();
    return secured;
  }

  close(): void {
    // The collector frees the contexts.
  }
}

/** A context of OpenSSL. Node's contexts have one ticket key each, so a new key makes a new context. */
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
      // Node reads only the first list of a text.
      ...(clientCertificates?.crlPem && { crl: pemBlocks(clientCertificates.crlPem, 'X509 CRL') }),
    } as const;
    this.#make = (ticketKey) =>
      createSecureContext({ ...options, ...(ticketKey && { ticketKeys: nodeTicketKey(ticketKey) }) });
    this.#ticketKeys = ticketKeys;
    [this.#ticketKey] = ticketKeys.keys;
    this.#context = this.#make(this.#ticketKey);
  }

  /** Returns the context with the ticket key that is in use now. */
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
 * Returns the key that Node makes of a ticket key: 48 bytes for its name, HMAC-SHA256 and AES-128. Its name differs, because
 * nobody else can decrypt such tickets.
 */
function nodeTicketKey(key: Buffer): Buffer {
  return createHash('sha384').update('ticket key of Node').update(key).digest();
}
