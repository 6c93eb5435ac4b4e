import type { RequestFacts, SessionEnd, SpanFacts } from '../../telemetry/journal/entries.ts';

/**
 * Methods allowed in span names. Other methods would let clients create any number of names (OpenTelemetry,
 * HTTP spans).
 */
const KNOWN_METHODS: ReadonlySet<string> = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

/** The port at the end of a Host header. */
const PORT = /:(\d{1,5})$/;
/** An IPv6 address in the form of a URL or Host header. */
const IN_BRACKETS = /^\[(.*)\]$/;

/**
 * The attributes of a span. Names without `sluice.` follow OpenTelemetry's semantic conventions 1.23 and
 * later.
 */
export class SpanAttributeList {
  readonly all: Record<string, string | number | boolean> = {};

  /** Adds an attribute if it has a value. */
  add(name: string, value: string | number | undefined): void {
    if (value !== undefined) this.all[name] = value;
  }

  /** Adds the request and the connection that carried it. */
  request({ method, scheme, version, peer }: SpanFacts, requestFacts: RequestFacts): void {
    if (method === undefined || KNOWN_METHODS.has(method))
      this.add('http.request.method', method ?? '_OTHER');
    else {
      this.add('http.request.method', '_OTHER');
      this.add('http.request.method_original', method);
    }
    this.add('url.scheme', scheme);
    this.add('url.path', requestFacts.path);
    this.add('network.protocol.version', version);
    this.add('network.peer.address', peer);
    this.add('client.address', requestFacts.client);
    this.add('user_agent.original', requestFacts.userAgent);
    this.#host(requestFacts.host, scheme);
    this.add('sluice.request_id', requestFacts.requestId);
    this.add('sluice.principal', requestFacts.principal);
  }

  /** Adds the reason of a refusal. */
  refusal(reason: string | undefined, cause: string | undefined, cut: string | undefined): void {
    this.add('sluice.reason', reason);
    this.add('sluice.cause', cause);
    this.add('sluice.cut', cut);
  }

  /** Adds the end of a session and its counts. */
  session(end: SessionEnd): void {
    this.add('sluice.websocket.close.code', end.code);
    this.add('sluice.websocket.close.side', end.side);
    this.add('sluice.websocket.close.reason', end.reason);
    this.add('sluice.websocket.seconds', end.seconds);
    this.add('sluice.websocket.messages.upstream', end.messagesUpstream);
    this.add('sluice.websocket.messages.downstream', end.messagesDownstream);
    this.add('sluice.websocket.bytes.upstream', end.bytesUpstream);
    this.add('sluice.websocket.bytes.downstream', end.bytesDownstream);
  }

  /** Returns the method as the start of a span's name. */
  methodName(method: string | undefined): string {
    return method !== undefined && KNOWN_METHODS.has(method) ? method : 'HTTP';
  }

  /** Adds the requested host and its port. */
  #host(host: string | undefined, scheme: string): void {
    if (host === undefined || host === '') return;
    const port = PORT.exec(host);
    const name = port === null ? host : host.slice(0, port.index);
    this.add('server.address', IN_BRACKETS.exec(name)?.[1] ?? name);
    const usual = scheme === 'https' ? 443 : 80;
    this.add('server.port', port === null ? usual : Number(port[1]));
  }
}
