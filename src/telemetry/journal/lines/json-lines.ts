import { clip, MAX_FIELD_CHARACTERS } from '../../line-fields.ts';
import type {
  RequestFacts,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionStart,
  TunnelEnd,
  TunnelStart,
} from '../entries.ts';
import type { LineFormat } from './line-format.ts';

/** Texts that JSON must escape. Lone surrogates are among the matches. */
const UNSAFE = /["\\\u0000-\u001f\ud800-\udfff]/;
const MICROSECONDS = 1e6;

/** Destination of a request. */
type Place = Pick<RequestEnd, 'listener' | 'route' | 'cluster' | 'endpoint'>;

interface JsonOptions {
  /** The worker's name. */
  readonly worker: string;
  /** Sampling rate to write in sampled lines. */
  readonly sample: number;
  /** Names of the fields to write besides `level`, `time`, `worker` and `msg`. Null writes all. */
  readonly fields: readonly string[] | null;
}

/**
 * Writes access lines as JSON, byte for byte like `createWorkerLogger`. Written by hand because each request
 * has a line: creating and spreading objects costs more than the texts.
 */
export class JsonLines implements LineFormat {
  readonly #worker: string;
  readonly #sample: string;
  readonly #fields: ReadonlySet<string> | null;
  #millisecond = -1;
  #place: Place | null = null;
  /** The fields for {@link #place}. */
  #placeText = '';
  /** The start of each line in {@link #millisecond}. */
  #start = '';

  constructor({ worker, sample, fields }: JsonOptions) {
    this.#worker = `","worker":${JSON.stringify(worker)}`;
    this.#sample = `,"sample":${sample}`;
    this.#fields = fields === null ? null : new Set(fields.map((name) => `,"${name}":`));
  }

  request(end: RequestEnd, isSampled: boolean): string {
    const { requestFacts } = end;
    return (
      this.#begin() +
      this.#placeOf(end) +
      this.#who(requestFacts) +
      this.#text(',"method":', end.method) +
      this.#agent(requestFacts) +
      this.#number(',"status":', end.status) +
      this.#text(',"reason":', end.reason) +
      this.#text(',"cause":', end.cause) +
      this.#text(',"detail":', end.detail) +
      this.#text(',"cut":', end.cut) +
      this.#number(',"received":', end.received) +
      this.#number(',"sent":', end.sent) +
      this.#seconds(end.seconds) +
      this.#end(isSampled, 'request')
    );
  }

  handshakeRefused(refusal: HandshakeRefusal): string {
    const { requestFacts } = refusal;
    return (
      this.#begin() +
      this.#placeOf(refusal) +
      this.#who(requestFacts) +
      this.#text(',"subprotocol":', refusal.subprotocol) +
      this.#agent(requestFacts) +
      this.#number(',"status":', refusal.status) +
      this.#text(',"reason":', refusal.reason) +
      this.#text(',"cause":', refusal.cause) +
      this.#text(',"detail":', refusal.detail) +
      this.#text(',"cut":', refusal.cut) +
      this.#seconds(refusal.seconds) +
      this.#end(false, 'handshake refused')
    );
  }

  handshakesRefused(listener: string, count: number): string {
    const fields = this.#text(',"listener":', listener) + this.#number(',"count":', count);
    return this.#begin() + fields + this.#end(false, 'handshakes refused');
  }

  sessionOpened(session: SessionStart, isSampled: boolean): string {
    return this.#begin() + this.#session(session) + this.#end(isSampled, 'session opened');
  }

  sessionClosed(session: SessionStart, end: SessionEnd, isSampled: boolean): string {
    return (
      this.#begin() +
      this.#session(session) +
      this.#text(',"side":', end.side) +
      this.#number(',"code":', end.code) +
      this.#text(',"reason":', end.reason) +
      this.#seconds(end.seconds) +
      this.#number(',"messagesUpstream":', end.messagesUpstream) +
      this.#number(',"messagesDownstream":', end.messagesDownstream) +
      this.#number(',"bytesUpstream":', end.bytesUpstream) +
      this.#number(',"bytesDownstream":', end.bytesDownstream) +
      this.#end(isSampled, 'session closed')
    );
  }

  tunnelOpened(tunnel: TunnelStart, isSampled: boolean): string {
    return this.#begin() + this.#tunnel(tunnel) + this.#end(isSampled, 'tunnel opened');
  }

  tunnelClosed(tunnel: TunnelStart, end: TunnelEnd, isSampled: boolean): string {
    return (
      this.#begin() +
      this.#tunnel(tunnel) +
      this.#text(',"reason":', end.reason) +
      this.#seconds(end.seconds) +
      this.#number(',"bytesUpstream":', end.bytesUpstream) +
      this.#number(',"bytesDownstream":', end.bytesDownstream) +
      this.#end(isSampled, 'tunnel closed')
    );
  }

  #session(session: SessionStart): string {
    return (
      this.#placeOf(session) +
      this.#who(session.requestFacts) +
      this.#text(',"subprotocol":', session.subprotocol) +
      this.#agent(session.requestFacts)
    );
  }

  /**
   * Returns the fields for a request's destination. Consecutive requests often share a destination, so the
   * last text is cached.
   */
  #placeOf({ listener, route, cluster, endpoint }: Place): string {
    const last = this.#place;
    const isSame =
      last !== null &&
      last.listener === listener &&
      last.route === route &&
      last.cluster === cluster &&
      last.endpoint === endpoint;
    if (isSame) return this.#placeText;
    this.#place = { listener, route, cluster, endpoint };
    this.#placeText =
      this.#text(',"listener":', listener) +
      this.#text(',"route":', route) +
      this.#text(',"cluster":', cluster) +
      this.#text(',"endpoint":', endpoint);
    return this.#placeText;
  }

  #tunnel(tunnel: TunnelStart): string {
    return (
      this.#text(',"listener":', tunnel.listener) +
      this.#text(',"cluster":', tunnel.cluster) +
      this.#text(',"endpoint":', tunnel.endpoint) +
      this.#text(',"client":', tunnel.client) +
      this.#text(',"peer":', tunnel.peer) +
      this.#text(',"serverName":', tunnel.serverName) +
      this.#text(',"vpcEndpointId":', tunnel.vpcEndpointId) +
      this.#text(',"tunnelId":', tunnel.tunnelId)
    );
  }

  #who(requestFacts: RequestFacts): string {
    return (
      this.#text(',"client":', requestFacts.client) +
      this.#text(',"requestId":', requestFacts.requestId) +
      this.#text(',"traceId":', requestFacts.traceId) +
      this.#text(',"principal":', requestFacts.principal) +
      this.#text(',"certSubject":', requestFacts.certSubject) +
      this.#text(',"certFingerprint":', requestFacts.certFingerprint) +
      this.#text(',"vpcEndpointId":', requestFacts.vpcEndpointId) +
      this.#text(',"host":', requestFacts.host) +
      this.#text(',"path":', requestFacts.path)
    );
  }

  #agent(requestFacts: RequestFacts): string {
    return (
      this.#text(',"origin":', requestFacts.origin) +
      this.#text(',"referer":', requestFacts.referer) +
      this.#text(',"userAgent":', requestFacts.userAgent)
    );
  }

  #begin(): string {
    const now = Date.now();
    if (now !== this.#millisecond) {
      this.#millisecond = now;
      this.#start = `{"level":"info","time":"${new Date(now).toISOString()}${this.#worker}`;
    }
    return this.#start;
  }

  #end(isSampled: boolean, message: string): string {
    const sample = isSampled && this.#has(',"sample":') ? this.#sample : '';
    return `${sample},"msg":"${message}"}\n`;
  }

  #text(key: string, value: string | undefined): string {
    return value !== undefined && this.#has(key) ? key + quoted(value) : '';
  }

  #number(key: string, value: number): string {
    return this.#has(key) ? key + String(value) : '';
  }

  #seconds(seconds: number): string {
    return this.#number(',"seconds":', Math.round(seconds * MICROSECONDS) / MICROSECONDS);
  }

  #has(key: string): boolean {
    return this.#fields === null || this.#fields.has(key);
  }
}

function quoted(text: string): string {
  if (text.length > MAX_FIELD_CHARACTERS || UNSAFE.test(text)) return JSON.stringify(clip(text));
  return `"${text}"`;
}
