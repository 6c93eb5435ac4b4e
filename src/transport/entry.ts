/**
 * What a client's connection goes through before it is served, in this order: a PROXY header is read, the client's address is
 * judged (layer 4), the ClientHello is looked at, and TLS is set up (layer 7). A connection that fails is closed, and counted
 * by its reason.
 */
import type { Listener } from '../config/types/listener.ts';
import { AddressSet } from '../core/address-set.ts';
import type { ENTRY_FAILURES } from '../telemetry/metrics/label-values.ts';
import { ipOfSocket } from '../wire/ip-address.ts';
import type { ProxyHeader } from '../wire/proxy-protocol/proxy-header.ts';
import type { ClientHello } from '../wire/tls/client-hello.ts';

/** What the connections of a listener have to send before they can be served. */
export interface EntryTerms {
  /** `optional`: only peers that {@link trusts} believes may send a header. `required`: they must, and others are closed. */
  readonly proxyProtocol: 'off' | 'required' | 'optional';
  /** Whether a proxy in front is believed. @param address the peer's, as `normalizeIp` writes it */
  readonly trusts: (address: string) => boolean;
  /**
   * Lets a client in by its address, or refuses it; null to let all in. Asked once for each connection.
   *
   * @param address as for {@link trusts}
   */
  readonly admit: ((address: string) => Admittance) | null;
  /** Whether the first bytes decide where a connection goes, if they are a ClientHello. */
  readonly readsHello: boolean;
  /** Max time from the accept to the end of all stages. */
  readonly timeoutMs: number;
}

/** Time for a PROXY header and a ClientHello if the listener has no TLS of its own. */
const ENTRY_TIMEOUT_MS = 10_000;

/** Returns the terms of a listener. @param admit as for {@link EntryTerms.admit} */
export function entryTermsOf(listener: Listener, admit: EntryTerms['admit'] = null): EntryTerms {
  const { proxyProtocol, trustedProxies, passthrough } = listener;
  const tls = listener.mode === 'l7' ? listener.tls : null;
  const proxies = AddressSet.of(trustedProxies);
  return {
    proxyProtocol,
    trusts: (address) => proxies.has(address),
    admit,
    readsHello: passthrough.length > 0 || (tls !== null && listener.engine !== 'uws'),
    timeoutMs: tls?.handshakeTimeoutMs ?? ENTRY_TIMEOUT_MS,
  };
}

/** Whether something decides about connections before they can be served: what they send, or their addresses. */
export function hasEntryStages({ proxyProtocol, readsHello, admit }: EntryTerms): boolean {
  return proxyProtocol !== 'off' || readsHello || admit !== null;
}

/** The places that a client holds as long as its connection lasts, such as those of limits. */
export interface ConnectionHolds {
  /** Gives the places back. Does nothing the second time. */
  release(): void;
}

/** What a client's address comes to: why it is refused, or what it holds if it is let in; null for nothing. */
export type Admittance = Pick<EntryRejection, 'reason' | 'detail'> | ConnectionHolds | null;

/** What is known of a connection that has passed the PROXY header and the ClientHello. */
export interface EntryFacts {
  /** The IP address of the other end, which may be a proxy, as `normalizeIp` writes it. Empty if it is unknown. */
  readonly peer: string;
  /** The client's IP address as `normalizeIp` writes it: a PROXY header's, else the peer's. Empty if it is unknown. */
  readonly address: string;
  /** Null without a PROXY header. */
  readonly proxy: ProxyHeader | null;
  /** Null if the terms want none, or if the first bytes are no ClientHello. It has not been read: it follows as data. */
  readonly hello: ClientHello | null;
  /** Given back by whoever closes the connection. Left out if the client holds nothing. */
  readonly holds?: ConnectionHolds;
}

/** What is known of a connection that begins with a ClientHello. */
export interface HelloFacts extends EntryFacts {
  readonly hello: ClientHello;
}

export function hasHello(facts: EntryFacts): facts is HelloFacts {
  return facts.hello !== null;
}

/** Returns what is known of a connection that had to send nothing. @param peer its IP address as text */
export function entryFactsOf(peer: string): EntryFacts {
  const address = ipOfSocket(peer);
  return { peer: address, address, proxy: null, hello: null };
}

/** Takes the connections of an acceptor that have to send something first. `Connection` is what the transport watches. */
export interface ArrivalOwner<Connection> {
  /**
   * Takes a connection of which nothing has been read but a PROXY header: serves it, or closes it. If this throws before the
   * connection is taken, the connection is closed, and {@link lost} follows.
   *
   * @param since when it was accepted, by the clock of `performance.now()`
   */
  entered(connection: Connection, facts: EntryFacts, since: number): void;
  /** A connection has failed, and is closed. */
  rejected(rejection: EntryRejection): void;
  /** A connection is closed for no reason of its own. @param fault null if its listener closes; else an error of the proxy */
  lost(fault: unknown): void;
}

/** What the first bytes of a connection come to. */
export type Verdict =
  /** More bytes decide. */
  | 'more'
  /** The first `consume` bytes, 1 or more, are a PROXY header: the caller drops them, and looks at the rest, if any. */
  | { readonly consume: number }
  | { readonly facts: EntryFacts }
  | Refusal;

/** Judges the first bytes of one connection. */
export interface Door {
  /**
   * Looks at all bytes that have come and are not consumed: `bytes[start, end)`. They begin with the bytes of the look before.
   * The first look is at no bytes: some connections can enter, or cannot, whatever they send.
   */
  look(bytes: Buffer, start: number, end: number): Verdict;
  /** Says what has not come in time. */
  timedOut(): Refusal;
  /** Says what the end of the connection has cut. */
  ended(): Refusal;
  /** Gives back what the client holds, because its connection is closed here. */
  abandon(): void;
}

export type EntryFailure = (typeof ENTRY_FAILURES)[number];

/** Why a connection is closed before it can be served. */
export interface EntryRejection {
  /** `access` for a client that the listener's address rules refuse, `rate` for one that a limit by address refuses. */
  readonly reason: EntryFailure | 'access' | 'rate';
  /** In a few words, for the log: no bytes of the client's. */
  readonly detail: string;
  /** The server name that is refused; null if the ClientHello has none. Left out with other reasons. */
  readonly serverName?: string | null;
  /** The client's IP address, if a PROXY header has told it. Left out with other reasons than `access` and `rate`. */
  readonly address?: string;
  /** The peer's IP address. */
  readonly peer: string;
  /** Time from the accept; null if it is unknown. */
  readonly seconds: number | null;
}

/** What the first bytes of a connection alone can say. */
export type Refusal = Pick<EntryRejection, 'reason' | 'detail' | 'serverName' | 'address'>;

/** A connection to a listener with TLS that begins with anything but a ClientHello. */
export const NOT_TLS: Refusal = { reason: 'hello_malformed', detail: 'the first bytes are not TLS' };

/** Whether a client is refused by its address. */
export function isRefused(admittance: Admittance): admittance is Pick<EntryRejection, 'reason' | 'detail'> {
  return admittance !== null && 'reason' in admittance;
}

/** Adds the address by which a client is refused, unless it is the peer's. */
export function refusedClient(
  refusal: Pick<EntryRejection, 'reason' | 'detail'>,
  { peer, address }: Pick<EntryFacts, 'peer' | 'address'>,
): Refusal {
  return address === peer ? refusal : { ...refusal, address };
}

/** Refuses a server name that a listener neither serves nor tunnels. @param serverName null for a client without one */
export function refusedName(serverName: string | null): Refusal {
  return { reason: 'server_name', detail: 'the listener has no rule for the server name', serverName };
}
