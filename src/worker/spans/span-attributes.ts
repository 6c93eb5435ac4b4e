import type { Asked, SessionEnd, SpanFacts } from '../../telemetry/journal/entries.ts';

/** Methods that are names of spans. Any other could make as many names as clients like (OpenTelemetry, HTTP spans). */
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
/** An IPv6 address as a URL or a Host header writes it. */
const IN_BRACKETS = /^\[(.*)\]$/;

/** The attributes of a span. Names without `sluice.` are of OpenTelemetry's semantic conventions 1.23 and later. */
export class SpanAttributeList {
  readonly all: Record<string, string | number | boolean> = {};

  /** Adds an attribute, unless there is no value. */
  add(name: string, value: string | number | undefined): void {
    if (value !== undefined) this.all[name] = value;
  }

  /** Adds what the client has asked for, and how it came. */
  request({ method, scheme, version, peer }: SpanFacts, asked: Asked): void {
    if (method === undefined || KNOWN_METHODS.has(method))
      this.add('http.request.method', method ?? '_OTHER');
    else {
      this.add('http.request.method', '_OTHER');
      this.add('http.request.method_original', method);
    }
    this.add('url.scheme', scheme);
    this.add('url.path', asked.path);
    this.add('network.protocol.version', version);
    this.add('network.peer.address', peer);
    this.add('client.address', asked.client);
    this.add('user_agent.original', asked.userAgent);
    this.#host(asked.host, scheme);
    this.add('sluice.request_id', asked.requestId);
    this.add('sluice.principal', asked.principal);
  }

  /** Adds why a request was refused. */
  refusal(reason: string | undefined, cause: string | undefined, cut: string | undefined): void {
    this.add('sluice.reason', reason);
    this.add('sluice.cause', cause);
    this.add('sluice.cut', cut);
  }

  /** Adds how a session ended, and what it carried. */
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

  /** Returns a method as the name of a span begins. */
  methodName(method: string | undefined): string {
    return method !== undefined && KNOWN_METHODS.has(method) ? method : 'HTTP';
  }

  /** Adds the host that the client asked for, and its port. */
  #host(host: string | undefined, scheme: string): void {
    if (host === undefined || host === '') return;
    const port = PORT.exec(host);
    const name = port === null ? host : host.slice(0, port.index);
    this.add('server.address', IN_BRACKETS.exec(name)?.[1] ?? name);
    const usual = scheme === 'https' ? 443 : 80;
    this.add('server.port', port === null ? usual : Number(port[1]));
  }
}
