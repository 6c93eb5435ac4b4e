import {
  createConnection,
  isIP,
  type IpcSocketConnectOpts,
  type OnReadOpts,
  type Socket,
  type TcpSocketConnectOpts,
} from 'node:net';
import { TLSSocket, checkServerIdentity, connect as connectTls } from 'node:tls';
import type { Address } from '../../core/address.ts';
import { codeOf } from '../../core/errors.ts';
import { ownShortageOf } from '../../core/shortage.ts';
import { writeDirectly } from '../../sys/node/node-sockets.ts';
import { KEEP_ALIVE_IDLE_MS } from '../../sys/socket-constants.ts';
import type { ConnectFailure } from '../endpoint.ts';
import { sniOf, type UpstreamTls } from '../upstream-tls.ts';

/** Options of a connection to an endpoint. */
interface DialOptions {
  readonly tls: UpstreamTls | null;
  /** Whether writing continues after the peer's FIN. */
  readonly allowHalfOpen: boolean;
  /** Bytes that precede all others, including TLS: a PROXY header of at most 1 KiB. Omit for none. */
  readonly preface?: Buffer | null;
  /** Reads into the caller's buffer and calls back, instead of `data` events. */
  readonly onread?: OnReadOpts;
}

/** The target of a dial. `Endpoint` implements it. */
interface DialTarget {
  /** Key of the TLS sessions to resume. */
  readonly label: string;
  /** Its host is the name for TLS. */
  readonly server: Address;
  /**
   * Dialled in this order. The next follows if one fails or stays silent for {@link NEXT_ADDRESS_MS} (RFC
   * 8305 section 5).
   */
  readonly addresses: readonly Address[];
  /** Called with the address that accepted, if there are several. */
  prefer?(address: Address): void;
}

/**
 * Delay before the next address of an endpoint is dialled. The last address has time until the caller's
 * deadline.
 */
export const NEXT_ADDRESS_MS = 250;

/**
 * Dials the endpoint's addresses in turn on a Node socket. Each except the last has {@link NEXT_ADDRESS_MS}.
 * Unlike `AddressDial`, Node ends one attempt before it begins the next.
 *
 * The socket emits `connect` (plain), `secureConnect` (TLS) or `error`. The caller must listen to `error` in
 * the same tick and set its own deadline.
 */
export function dial(endpoint: DialTarget, options: DialOptions): Socket {
  const common = {
    ...targetOf(endpoint.addresses),
    allowHalfOpen: options.allowHalfOpen,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_IDLE_MS,
    ...(options.onread === undefined ? {} : { onread: options.onread }),
  };
  const socket =
    options.tls === null ? createConnection(common) : connectOverTls(endpoint, common, options.tls);
  if (endpoint.addresses.length > 1) socket.once('connect', () => reportAccepted(endpoint, socket));
  const { preface = null } = options;
  // Node starts TLS in its own `connect` listener, so this one must run first.
  if (preface !== null) socket.prependOnceListener('connect', () => sendPreface(socket, preface));
  return socket;
}

/** Sends the first bytes of a connection. Node cannot send bytes before TLS. */
function sendPreface(socket: Socket, preface: Buffer): void {
  if (!(socket instanceof TLSSocket)) {
    socket.write(preface);
    return;
  }
  const problem = writeDirectly(socket, preface);
  if (problem !== null) socket.destroy(problem);
}

/** Reports the address that accepted to the endpoint. */
function reportAccepted(endpoint: DialTarget, { remoteAddress }: Socket): void {
  const accepted = endpoint.addresses.find(
    (address) => address.kind === 'tcp' && address.host === remoteAddress,
  );
  if (accepted !== undefined) endpoint.prefer?.(accepted);
}

function connectOverTls(
  endpoint: DialTarget,
  common: TcpSocketConnectOpts | IpcSocketConnectOpts,
  tls: UpstreamTls,
): Socket {
  const { label } = endpoint;
  const name = tls.serverName(endpoint.server);
  const session = tls.sessions.get(label);
  const socket = connectTls({
    ...common,
    secureContext: tls.context,
    rejectUnauthorized: tls.verify,
    servername: sniOf(name),
    // Node checks `servername`, which is empty for an IP address.
    checkServerIdentity: (_host, certificate) => checkServerIdentity(name, certificate),
    ...(session?.name === name ? { session: session.ticket } : {}),
  });
  socket.on('session', (ticket: Buffer) => tls.sessions.set(label, { name, ticket }));
  return socket;
}

type ConnectTarget = { readonly path: string } | TcpSocketConnectOpts;

function targetOf(addresses: readonly Address[]): ConnectTarget {
  const [first] = addresses;
  if (first === undefined) throw new RangeError('an endpoint without an address cannot be dialled');
  if (first.kind === 'unix') return { path: first.path };
  const { host, port } = first;
  if (addresses.length === 1) return { host, port };
  const found = addresses.flatMap((address) =>
    address.kind === 'tcp' ? [{ address: address.host, family: isIP(address.host) }] : [],
  );
  // Node tries several addresses only if a lookup returns them.
  return {
    host: 'endpoint.invalid',
    port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_MS,
    lookup: (_host, _options, done) => done(null, found),
  };
}

/** Error codes of OpenSSL and Node for TLS failures. */
const TLS_FAILURE =
  /^(?:ERR_TLS|ERR_SSL|ERR_OSSL|EPROTO$|CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|ERROR_IN_CERT|INVALID_|PATH_LENGTH|HOSTNAME_MISMATCH)/;

/**
 * Returns the decisive error of two failed addresses: a shortage of the proxy, because that address was never
 * contacted, or else the last error.
 */
export function decisiveError<T extends Error>(before: T | null, last: T): T {
  return before !== null && ownShortageOf(before) !== null ? before : last;
}

/** Returns the error of a failed dial: the decisive one if Node tried several addresses. */
export function dialErrorOf(error: Error): Error {
  if (!(error instanceof AggregateError)) return error;
  const errors = error.errors.filter((one) => one instanceof Error);
  return errors.reduce<Error | null>(decisiveError, null) ?? error;
}

/** Maps the error of a dial to the reason it counts as. */
export function connectFailureOf(error: Error): ConnectFailure {
  const shortage = ownShortageOf(error);
  if (shortage !== null) return shortage;
  // Node's AggregateError has the code of the first address.
  const code = codeOf(dialErrorOf(error));
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return 'refused';
    case 'ETIMEDOUT':
      return 'timeout';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'reset';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EHOSTDOWN':
    case 'ENETDOWN':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return 'unreachable';
    default:
      return TLS_FAILURE.test(code) ? 'tls' : 'other';
  }
}
