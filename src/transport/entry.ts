/**
 * The stages of a client's connection before it is served. A PROXY header is read, the client's address is
 * checked (layer 4), the ClientHello is peeked at, and TLS is set up (layer 7). A connection that fails is
 * closed and counted by reason.
 */
import type { Listener } from '../config/types/listener.ts';
import { AddressSet } from '../core/address-set.ts';
import type { ENTRY_FAILURES } from '../telemetry/metrics/label-values.ts';
import { ipOfSocket } from '../wire/ip-address.ts';
import type { ProxyHeader } from '../wire/proxy-protocol/proxy-header.ts';
import type { ClientHello } from '../wire/tls/client-hello.ts';

/** Requirements for the connections of a listener before they are served. */
export interface EntryTerms {
  /**
   * `optional`: peers that {@link trusts} accepts may send a header. `required`: they must, and all other
   * peers are closed.
   */
  readonly proxyProtocol: 'off' | 'required' | 'optional';
  /** Whether headers of this proxy are trusted. @param address the peer's, in the form of `normalizeIp` */
  readonly trusts: (address: string) => boolean;
  /**
   * Admits or refuses a client by its address, once per connection. Null admits everyone.
   *
   * @param address see {@link trusts}
   */
  readonly admit: ((address: string) => AdmitResult) | null;
  /** Whether a ClientHello in the first bytes decides where a connection goes. */
  readonly readsHello: boolean;
  /** Whether a PostgreSQL client's request for TLS is answered, so that its ClientHello follows. */
  readonly admitsPostgres: boolean;
  /** Max time from the accept to the end of all stages. */
  readonly timeoutMs: number;
}

/** Time for a PROXY header and a ClientHello on a listener without TLS. */
const ENTRY_TIMEOUT_MS = 10_000;

/** Returns the terms of a listener. @param admit see {@link EntryTerms.admit} */
export function entryTermsOf(listener: Listener, admit: EntryTerms['admit'] = null): EntryTerms {
  const { proxyProtocol, trustedProxies, passthrough } = listener;
  const tls = listener.mode === 'l7' ? listener.tls : null;
  const proxies = AddressSet.of(trustedProxies);
  return {
    proxyProtocol,
    trusts: (address) => proxies.has(address),
    admit,
    readsHello: passthrough.length > 0 || (tls !== null && listener.engine !== 'uws'),
    admitsPostgres: passthrough.length > 0,
    timeoutMs: tls?.handshakeTimeoutMs ?? ENTRY_TIMEOUT_MS,
  };
}

/**
 * Whether connections have stages before they are served: required first bytes, or a check of their
 * addresses.
 */
export function hasEntryStages({ proxyProtocol, readsHello, admit }: EntryTerms): boolean {
  return proxyProtocol !== 'off' || readsHello || admit !== null;
}

/** The places that a client occupies while its connection is open, for example in limits. */
export interface ConnectionHolds {
  /** Releases the places. Idempotent. */
  release(): void;
}

/**
 * Result of the address check: a refusal, or the places the admitted client holds. Null means admitted
 * without places.
 */
export type AdmitResult = Pick<EntryRejection, 'reason' | 'detail'> | ConnectionHolds | null;

/** Facts about a connection after the PROXY header and ClientHello stages. */
export interface EntryFacts {
  /** IP address of the other end, possibly a proxy, in the form of `normalizeIp`. Empty if unknown. */
  readonly peer: string;
  /**
   * Client's IP address in the form of `normalizeIp`: from a PROXY header, or the peer's. Empty if unknown.
   */
  readonly address: string;
  /** Null without a PROXY header. */
  readonly proxy: ProxyHeader | null;
  /**
   * Null if the terms require none, or if the first bytes are no ClientHello. Its bytes are unread and arrive
   * as data.
   */
  readonly hello: ClientHello | null;
  /** True if the client asked for TLS as PostgreSQL's clients do. The endpoint must be asked, too. */
  readonly isPostgres?: boolean;
  /** Released by the code that closes the connection. Omitted if the client holds nothing. */
  readonly holds?: ConnectionHolds;
}

/** Facts about a connection that starts with a ClientHello. */
export interface HelloFacts extends EntryFacts {
  readonly hello: ClientHello;
}

export function hasHello(facts: EntryFacts): facts is HelloFacts {
  return facts.hello !== null;
}

/** Returns the facts of a connection without entry stages. @param peer its IP address as text */
export function entryFactsOf(peer: string): EntryFacts {
  const address = ipOfSocket(peer);
  return { peer: address, address, proxy: null, hello: null };
}

/**
 * Receives connections that have passed the entry stages or failed in one. `Connection` is the type the
 * transport watches.
 */
export interface ArrivalOwner<Connection> {
  /**
   * Called with a connection after its entry stages, to serve or close it. Only a PROXY header and a request
   * for TLS, if any, were read. If this throws before it takes the connection, the connection is closed and
   * {@link lost} follows.
   *
   * @param since time of the accept, by `performance.now()`
   */
  entered(connection: Connection, facts: EntryFacts, since: number): void;
  /** Called after a connection failed and was closed. */
  rejected(rejection: EntryRejection): void;
  /**
   * Called after a connection was closed for a reason outside the connection.
   *
   * @param fault null if its listener closes; otherwise an error of the proxy
   */
  lost(fault: unknown): void;
}

/** The decision about a connection's first bytes. */
export type Verdict =
  /** More bytes are needed. */
  | 'more'
  /**
   * The first `consume` bytes (1 or more) are a PROXY header or a request for TLS: the caller drops them, sends
   * the answer if there is one, and looks at the rest, if any.
   */
  | { readonly consume: number; readonly answer: Buffer | null }
  | { readonly facts: EntryFacts }
  | Refusal;

/** Judges the first bytes of one connection. */
export interface EntryInspector {
  /**
   * Judges all received bytes that are not consumed, `bytes[start, end)`. They start with the bytes of the
   * previous look. The first look is at no bytes: some connections enter or fail whatever they send.
   */
  look(bytes: Buffer, start: number, end: number): Verdict;
  /** Returns the refusal for bytes that did not arrive in time. */
  timedOut(): Refusal;
  /** Returns the refusal for bytes that are cut off by the connection's end. */
  ended(): Refusal;
  /** Releases the client's places, because its connection is being closed. */
  abandon(): void;
}

export type EntryFailure = (typeof ENTRY_FAILURES)[number];

/** A connection closed before it could be served, and the reason. */
export interface EntryRejection {
  /** `access`: refused by the listener's address rules. `rate`: refused by a limit per address. */
  readonly reason: EntryFailure | 'access' | 'rate';
  /** A few words for the log, without any of the client's bytes. */
  readonly detail: string;
  /** The refused server name. Null if the ClientHello has none. Omitted for other reasons. */
  readonly serverName?: string | null;
  /** The client's IP address from a PROXY header. Omitted for reasons other than `access` and `rate`. */
  readonly address?: string;
  /** The peer's IP address. */
  readonly peer: string;
  /** Time from the accept. Null if unknown. */
  readonly seconds: number | null;
}

/** The part of a rejection that the first bytes determine. */
export type Refusal = Pick<EntryRejection, 'reason' | 'detail' | 'serverName' | 'address'>;

/** Refusal of a connection to a TLS listener that does not start with a ClientHello. */
export const NOT_TLS: Refusal = { reason: 'hello_malformed', detail: 'the first bytes are not TLS' };

/** Whether a client is refused by its address. */
export function isRefused(admittance: AdmitResult): admittance is Pick<EntryRejection, 'reason' | 'detail'> {
  return admittance !== null && 'reason' in admittance;
}

/** Adds the refused client's address, unless it is the peer's. */
export function refusedClient(
  refusal: Pick<EntryRejection, 'reason' | 'detail'>,
  { peer, address }: Pick<EntryFacts, 'peer' | 'address'>,
): Refusal {
  return address === peer ? refusal : { ...refusal, address };
}

/**
 * Returns the refusal for a server name that a listener neither serves nor tunnels.
 *
 * @param serverName null without one
 */
export function refusedName(serverName: string | null): Refusal {
  return { reason: 'server_name', detail: 'the listener has no rule for the server name', serverName };
}
