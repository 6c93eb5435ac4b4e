import { hostOf } from '../http/host-header.ts';
import { headerOf, joinedHeaderOf, onlyHeaderOf, type RequestHead } from '../http/request-head.ts';
import type { ClientCertificate } from '../tls/client-certificate.ts';
import type { RequestTrace } from '../tracing/request-trace.ts';
import { readForwardedElement } from './forwarded-element.ts';
import { nearestMembers, walkHops } from './hops.ts';
import { addressOfNode } from './node-name.ts';

/** Facts about a client's connection. */
export interface ConnectionFacts {
  /** The peer's IP address, as formatted by `normalizeIp`: the source in a PROXY header, if there is one. */
  readonly peer: string;
  /** The port that the client connected to: the listener's, or the destination port in a PROXY header. */
  readonly port: number;
  /** Whether the connection uses TLS. */
  readonly secure: boolean;
  /** The client's verified certificate; null without one. */
  readonly certificate: ClientCertificate | null;
  /** ID of an AWS VPC endpoint, from a PROXY header; null without one. */
  readonly vpcEndpointId: string | null;
}

/** The sender of a request, determined once, before the request is checked. */
export interface ClientIdentity {
  /** The nearest IP address that is not a trusted proxy. */
  readonly address: string;
  /** A trusted proxy's X-Request-Id, or a new ID. */
  readonly requestId: string;
  /** Scheme used by the client: as a trusted proxy reports it, otherwise that of the connection. */
  readonly proto: ForwardedProto;
  /** Whether the client used TLS, according to {@link proto}. */
  readonly secure: boolean;
  /**
   * Certificate of the connection, which is a trusted proxy's if the request came through one. Null without
   * one.
   */
  readonly certificate: ClientCertificate | null;
  /** The connection's VPC endpoint ID. */
  readonly vpcEndpointId: string | null;
  /** The authenticated principal, as access lines show it. Missing before authentication, and without it. */
  readonly principal?: string;
  /** Trace of the request; null without tracing. */
  readonly trace: RequestTrace | null;
  /** Null if the peer is not a trusted proxy, so that its headers are ignored. */
  readonly report: ProxyReport | null;
}

export type ForwardedProto = 'http' | 'https' | 'ws' | 'wss';

/** A trusted proxy's report about the client. */
export interface ProxyReport {
  /** Hops before the peer, nearest last, in the form of X-Forwarded-For. */
  readonly chain: readonly string[];
  /** Number of hops, counted from the near end, that trusted proxies named. */
  readonly depth: number;
  /** Null if the proxy reports no valid scheme. */
  readonly proto: ForwardedProto | null;
  readonly host: string | null;
  readonly port: string | null;
  /** Whether the `Forwarded` header names the same client, so that it may be forwarded. */
  readonly forwardedAgrees: boolean;
}

/** Finds the trace of a request. */
interface TraceFinder {
  begin(head: RequestHead, peer: string, isTrusted: boolean): RequestTrace;
}

/** A node name of RFC 7239 section 6 that is not an address: `unknown`, `_hidden`, with or without a port. */
const NODE_NAME = /^[\w.:-]+$/;

const REQUEST_ID = /^[\w.:/+=-]{1,128}$/;

/**
 * Determines the sender of a request. Forwarding headers count only if the peer is a trusted proxy.
 *
 * @param trusted returns whether an address is a trusted proxy
 * @param newRequestId called if no trusted proxy set a request ID
 * @param sampler finds the trace of the request; null without tracing
 */
export function identifyClient(
  head: RequestHead,
  connection: ConnectionFacts,
  trusted: (address: string) => boolean,
  newRequestId: () => string,
  sampler: TraceFinder | null,
): ClientIdentity {
  const { peer, secure, certificate, vpcEndpointId } = connection;
  const own = secure ? 'https' : 'http';
  if (!trusted(peer)) {
    return {
      address: peer,
      requestId: newRequestId(),
      proto: own,
      secure,
      certificate,
      vpcEndpointId,
      trace: sampler === null ? null : sampler.begin(head, peer, false),
      report: null,
    };
  }
  const { address, ...report } = readReport(head, peer, trusted);
  const offeredId = headerOf(head, 'x-request-id') ?? '';
  const proto = report.proto ?? own;
  return {
    address,
    requestId: REQUEST_ID.test(offeredId) ? offeredId : newRequestId(),
    proto,
    secure: proto === 'https' || proto === 'wss',
    certificate,
    vpcEndpointId,
    trace: sampler === null ? null : sampler.begin(head, peer, true),
    report,
  };
}

/**
 * Reads a trusted proxy's report. Exactly one header names the client: X-Forwarded-For if present, otherwise
 * `Forwarded`, otherwise X-Real-IP. It counts even if it is empty. The others are ignored, because a proxy
 * that sets one of them forwards the client's others.
 */
function readReport(
  head: RequestHead,
  peer: string,
  trusted: (address: string) => boolean,
): ProxyReport & { readonly address: string } {
  const forwardedFor = joinedHeaderOf(head, 'x-forwarded-for');
  const forwarded = joinedHeaderOf(head, 'forwarded');
  const elements = nearestMembers(forwarded ?? '').map(readForwardedElement);
  const nodes = elements.map((element) => addressOfNode(element?.node ?? ''));
  if (forwardedFor === undefined && forwarded !== undefined) {
    const { address, depth } = walkHops(nodes, peer, trusted);
    const element = elements.at(-depth) ?? null;
    const proto = protoOf(element?.proto ?? '');
    const host = validHost(element?.host ?? '');
    const said = proto === null && host === null ? readX(head, depth) : { proto, host, port: null };
    const written = elements.map((each, index) => nodes[index] ?? nameOf(each?.node ?? ''));
    return { ...said, address, depth, chain: written, forwardedAgrees: elements.length > 0 };
  }
  const chain = nearestMembers(forwardedFor ?? '');
  if (forwardedFor === undefined) {
    const real = addressOfNode(onlyHeaderOf(head, 'x-real-ip') ?? '');
    if (real !== null) chain.push(real);
  }
  const { address, depth } = walkHops(chain.map(addressOfNode), peer, trusted);
  const forwardedAgrees = elements.length > 0 && walkHops(nodes, peer, trusted).address === address;
  return { ...readX(head, depth), address, depth, chain, forwardedAgrees };
}

/**
 * Reads X-Forwarded-Proto, -Host and -Port. If every proxy appends to them, they are lists like
 * X-Forwarded-For: the member at the same depth from the near end counts. A shorter list counts by its first
 * member.
 */
function readX(head: RequestHead, depth: number): Pick<ProxyReport, 'proto' | 'host' | 'port'> {
  const memberOf = (name: string): string => {
    const members = nearestMembers(joinedHeaderOf(head, name) ?? '', Math.max(depth, 1));
    return members[0] ?? '';
  };
  const port = memberOf('x-forwarded-port');
  return {
    proto: protoOf(memberOf('x-forwarded-proto')),
    host: validHost(memberOf('x-forwarded-host')),
    port: /^\d{1,5}$/.test(port) && Number(port) > 0 && Number(port) <= 65535 ? String(Number(port)) : null,
  };
}

/**
 * Returns the chain member for a node without an address. Quoted text must not split into several members.
 */
function nameOf(node: string): string {
  return NODE_NAME.test(node) ? node : 'unknown';
}

function protoOf(text: string): ForwardedProto | null {
  switch (text.toLowerCase()) {
    case 'http':
      return 'http';
    case 'https':
      return 'https';
    case 'ws':
      return 'ws';
    case 'wss':
      return 'wss';
    default:
      return null;
  }
}

function validHost(text: string): string | null {
  return text !== '' && hostOf(text) !== null ? text : null;
}
