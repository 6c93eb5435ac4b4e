/** What a journal is told. Texts of clients are bounded by whoever tells them. */

/** The trace of a request, and the request's own span in it. */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** The span of a trusted client; null if the trace begins here. */
  readonly parentSpanId: string | null;
  /** The value of `tracestate`; empty for none. */
  readonly state: string;
  /** Whether head sampling has chosen the trace. */
  readonly isSampled: boolean;
}

/** What only a span tells of a request. */
export interface SpanFacts {
  readonly trace: Trace;
  /** Undefined if it has not come whole. */
  readonly method: string | undefined;
  readonly scheme: 'http' | 'https';
  /** The version of HTTP. */
  readonly version: '1.0' | '1.1';
  /** The IP address of the connection's peer: the client or a trusted proxy. */
  readonly peer: string;
  /** Endpoints that were asked. */
  readonly attempts: number;
  /** When the request came, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** Who has asked for what. */
export interface Asked {
  /** The client's IP address. */
  readonly client: string;
  readonly requestId: string;
  /** Undefined without tracing. */
  readonly traceId: string | undefined;
  /** As `log.principal` writes it. Undefined for a client that has proven nothing. */
  readonly principal: string | undefined;
  /** Of the client's certificate, in RFC 2253; undefined without one. */
  readonly certSubject: string | undefined;
  /** SHA-256 of the client's certificate in hex. */
  readonly certFingerprint: string | undefined;
  /** The id of an AWS VPC endpoint, told by a PROXY header; undefined without one. */
  readonly vpcEndpointId: string | undefined;
  readonly host: string | undefined;
  /** Without the query; undefined if the head was refused before its path had come whole. */
  readonly path: string | undefined;
  readonly origin: string | undefined;
  readonly userAgent: string | undefined;
  /** Undefined unless the journal needs it. */
  readonly referer: string | undefined;
  readonly isHttp10: boolean;
}

/** A request that is over. */
export interface RequestEnd {
  readonly listener: string;
  /** `none` if no route took the request. */
  readonly route: string;
  readonly cluster: string | undefined;
  /** The endpoint's label. */
  readonly endpoint: string | undefined;
  readonly asked: Asked;
  /** Undefined if it has not come whole. */
  readonly method: string | undefined;
  /** The status that the client got; 499 if the client had gone. */
  readonly status: number;
  /** The counter of a refused request, or why the proxy has failed it: as a handshake's. */
  readonly reason: string | undefined;
  /** What has refused the client: the reason of a refusal by `access`, or the limit's name. */
  readonly cause: string | undefined;
  /** The words that the client got, if the proxy refused. */
  readonly detail: string | undefined;
  /** The reason why the answer was cut; undefined if it was not. */
  readonly cut: string | undefined;
  /** Bytes of the request's body. */
  readonly received: number;
  /** Bytes of the answer's body. */
  readonly sent: number;
  readonly seconds: number;
  /** Undefined unless the span is wanted. */
  readonly span: SpanFacts | undefined;
}

/** A handshake that did not become a session. */
export interface HandshakeRefusal extends Omit<RequestEnd, 'method' | 'received' | 'sent' | 'reason'> {
  /** The counter of the failed handshake. */
  readonly reason: string;
  /** The subprotocols that the client offered. */
  readonly subprotocol: string | undefined;
}

/** A session that has begun. A session keeps it, so its texts are copies of their own. */
export interface SessionStart {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  readonly asked: Asked;
  /** The one that the endpoint chose. */
  readonly subprotocol: string | undefined;
  /** Time that the handshake took. */
  readonly handshakeSeconds: number;
  /** Undefined without tracing. */
  readonly span: SpanFacts | undefined;
}

/** What may happen to a session before its end. */
export type SessionHappening = 'paused' | 'resumed' | 'limited' | 'draining' | 'evicted';

/** Something that has happened to a session. */
export interface SessionMoment {
  readonly name: SessionHappening;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** In words, if the name does not tell. */
  readonly reason: string | undefined;
}

/** How a session ended. */
export interface SessionEnd {
  readonly side: string;
  readonly code: number;
  /** In words, if the code does not tell. */
  readonly reason: string | undefined;
  readonly seconds: number;
  readonly messagesUpstream: number;
  readonly messagesDownstream: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** A tunnel that has found its endpoint. A tunnel keeps it. */
export interface TunnelStart {
  readonly listener: string;
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  /** The client's IP address. */
  readonly client: string;
  /** The IP address of the proxy in front that has sent a PROXY header; undefined without one. */
  readonly peer: string | undefined;
  readonly serverName: string | undefined;
  readonly vpcEndpointId: string | undefined;
  readonly tunnelId: string;
}

/** What a tunnel carried before it ended. */
export interface TunnelEnd {
  readonly reason: string;
  readonly seconds: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** A connection that was not served. */
export interface ConnectionRefusal {
  readonly kind: 'connection' | 'tunnel';
  readonly listener: string;
  /** The cluster that a tunnel would have led to. */
  readonly cluster?: string | undefined;
  /** The client's IP address; left out if it is not known. */
  readonly client?: string | undefined;
  /** The label `reason` of the metric of rejected connections. */
  readonly reason: string;
  /** In words, if the reason does not tell. */
  readonly detail?: string | undefined;
}
