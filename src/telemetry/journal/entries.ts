/** The entries of a journal. Their authors bound the length of texts from clients. */

/** The trace of a request, and the request's own span. */
export interface Trace {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  /** The span of a trusted client. Null if the trace starts here. */
  readonly parentSpanId: string | null;
  /** Value of `tracestate`. Empty without one. */
  readonly state: string;
  /** Whether head sampling chose the trace. */
  readonly isSampled: boolean;
}

/** Facts about a request that only its span contains. */
export interface SpanFacts {
  readonly trace: Trace;
  /** Undefined if the method was not received completely. */
  readonly method: string | undefined;
  readonly scheme: 'http' | 'https';
  /** HTTP version. */
  readonly version: '1.0' | '1.1';
  /** IP address of the connection's peer: the client or a trusted proxy. */
  readonly peer: string;
  /** Number of endpoints tried. */
  readonly attempts: number;
  /** Time of arrival, in milliseconds since 1970. */
  readonly startedAt: number;
}

/** The client and what it requested. */
export interface RequestFacts {
  /** The client's IP address. */
  readonly client: string;
  readonly requestId: string;
  /** Undefined without tracing. */
  readonly traceId: string | undefined;
  /** In the form of `log.principal`. Undefined for an unauthenticated client. */
  readonly principal: string | undefined;
  /** Subject of the client's certificate, in RFC 2253 form. Undefined without one. */
  readonly certSubject: string | undefined;
  /** SHA-256 of the client's certificate in hex. */
  readonly certFingerprint: string | undefined;
  /** Id of an AWS VPC endpoint from a PROXY header. Undefined without one. */
  readonly vpcEndpointId: string | undefined;
  readonly host: string | undefined;
  /** Without the query. Undefined if the head was refused before its path was complete. */
  readonly path: string | undefined;
  readonly origin: string | undefined;
  readonly userAgent: string | undefined;
  /** Undefined unless the journal needs it. */
  readonly referer: string | undefined;
  readonly isHttp10: boolean;
}

/** A request that has ended. */
export interface RequestEnd {
  readonly listener: string;
  /** `none` if no route matched. */
  readonly route: string;
  readonly cluster: string | undefined;
  /** The endpoint's label. */
  readonly endpoint: string | undefined;
  readonly requestFacts: RequestFacts;
  /** Undefined if the method was not received completely. */
  readonly method: string | undefined;
  /** The status sent to the client. 499 if the client had left. */
  readonly status: number;
  /** Counter of a refused request, or why the proxy failed it, in the terms of a handshake. */
  readonly reason: string | undefined;
  /** The cause of the refusal: the reason given by `access`, or the limit's name. */
  readonly cause: string | undefined;
  /** The message sent to the client if the proxy refused. */
  readonly detail: string | undefined;
  /** Why the response was cut. Undefined if it was not. */
  readonly cut: string | undefined;
  /** Bytes of the request body. */
  readonly received: number;
  /** Bytes of the response body. */
  readonly sent: number;
  readonly seconds: number;
  /** Undefined unless the span is wanted. */
  readonly span: SpanFacts | undefined;
}

/** A handshake that did not become a session. */
export interface HandshakeRefusal extends Omit<RequestEnd, 'method' | 'received' | 'sent' | 'reason'> {
  /** Counter of the failed handshake. */
  readonly reason: string;
  /** The subprotocols offered by the client. */
  readonly subprotocol: string | undefined;
}

/** An opened session. The session keeps this object, so its texts must be copies. */
export interface SessionStart {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  readonly requestFacts: RequestFacts;
  /** The subprotocol chosen by the endpoint. */
  readonly subprotocol: string | undefined;
  /** Duration of the handshake. */
  readonly handshakeSeconds: number;
  /** Undefined without tracing. */
  readonly span: SpanFacts | undefined;
}

/** Events in the life of a session before its end. */
export type SessionEventName = 'paused' | 'resumed' | 'limited' | 'draining' | 'evicted';

/** An event of a session. */
export interface SessionEvent {
  readonly name: SessionEventName;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Text for events whose name does not explain the reason. */
  readonly reason: string | undefined;
}

/** The end of a session. */
export interface SessionEnd {
  readonly side: string;
  readonly code: number;
  /** Text for ends whose code does not explain the reason. */
  readonly reason: string | undefined;
  readonly seconds: number;
  readonly messagesUpstream: number;
  readonly messagesDownstream: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** A tunnel joined to its endpoint. The tunnel keeps this object. */
export interface TunnelStart {
  readonly listener: string;
  readonly cluster: string;
  /** The endpoint's label. */
  readonly endpoint: string;
  /** The client's IP address. */
  readonly client: string;
  /** IP address of the proxy in front that sent a PROXY header. Undefined without one. */
  readonly peer: string | undefined;
  readonly serverName: string | undefined;
  readonly vpcEndpointId: string | undefined;
  readonly tunnelId: string;
}

/** The end of a tunnel and the bytes it carried. */
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
  /** The intended cluster of a tunnel. */
  readonly cluster?: string | undefined;
  /** The client's IP address. Omitted if unknown. */
  readonly client?: string | undefined;
  /** The label `reason` of the metric of rejected connections. */
  readonly reason: string;
  /** Text for refusals whose reason does not explain the cause. */
  readonly detail?: string | undefined;
}
