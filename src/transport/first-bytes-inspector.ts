import { Malformed } from '../wire/malformed.ts';
import { hasProxySignature, readProxyHeader } from '../wire/proxy-protocol/proxy-header-reader.ts';
import type { ProxyHeader } from '../wire/proxy-protocol/proxy-header.ts';
import {
  NOT_SUPPORTED,
  TLS_ADMITTED,
  TLS_REQUEST,
  readTlsRequest,
} from '../wire/tls/postgres-tls-request.ts';
import { ClientHelloReader, startsTls } from '../wire/tls/client-hello-reader.ts';
import type { ClientHello } from '../wire/tls/client-hello.ts';
import {
  NOT_TLS,
  isRefused,
  refusedClient,
  type ConnectionHolds,
  type EntryInspector,
  type EntryFailure,
  type EntryTerms,
  type Refusal,
  type Verdict,
} from './entry.ts';

/**
 * Judges the first bytes of one connection: collects the facts and decides whether it may enter. The caller
 * supplies the bytes and watches the deadline. All bytes but PROXY headers and requests for TLS stay in the
 * socket.
 */
export class FirstBytesInspector implements EntryInspector {
  /** The next bytes required. */
  #stage: 'proxy' | 'hello';
  readonly #terms: EntryTerms;
  readonly #peer: string;
  #proxy: ProxyHeader | null = null;
  /** Whether the client's address was checked. */
  #isAdmitted = false;
  #holds: ConnectionHolds | null = null;
  readonly #hello = new ClientHelloReader();
  /** The last request for encryption. Each kind comes once, GSSAPI before TLS. */
  #requested: 'nothing' | 'gss' | 'tls' = 'nothing';
  /** Bytes of the stage seen so far. */
  #seen = 0;

  /** @param peer the peer's IP address in the form of `normalizeIp`; empty if unknown */
  constructor(terms: EntryTerms, peer: string) {
    this.#terms = terms;
    this.#peer = peer;
    const { proxyProtocol } = terms;
    const awaitsProxy = proxyProtocol === 'required' || (proxyProtocol === 'optional' && terms.trusts(peer));
    this.#stage = awaitsProxy ? 'proxy' : 'hello';
  }

  look(bytes: Buffer, start: number, end: number): Verdict {
    this.#seen = end - start;
    return this.#stage === 'proxy'
      ? this.#lookForProxy(bytes, start, end)
      : this.#lookForHello(bytes, start, end);
  }

  timedOut(): Refusal {
    return this.#lost('proxy_timeout', 'hello_timeout');
  }

  ended(): Refusal {
    return this.#lost('proxy_ended', 'hello_ended');
  }

  abandon(): void {
    this.#holds?.release();
  }

  #lost(inProxy: EntryFailure, inHello: EntryFailure): Refusal {
    return { reason: this.#stage === 'proxy' ? inProxy : inHello, detail: `after ${this.#seen} bytes` };
  }

  #lookForProxy(bytes: Buffer, start: number, end: number): Verdict {
    if (this.#terms.proxyProtocol === 'required') {
      if (!this.#terms.trusts(this.#peer))
        return { reason: 'proxy_untrusted', detail: 'not a trusted proxy' };
    } else if (hasProxySignature(bytes, start, end) === false) {
      this.#stage = 'hello';
      return this.#lookForHello(bytes, start, end);
    }
    const found = readProxyHeader(bytes, start, end);
    if (found === null) return 'more';
    if (found instanceof Malformed) return { reason: 'proxy_malformed', detail: found.problem };
    this.#proxy = found.header;
    this.#stage = 'hello';
    this.#seen = 0;
    return { consume: found.length, answer: null };
  }

  #lookForHello(bytes: Buffer, start: number, end: number): Verdict {
    if (!this.#isAdmitted) {
      const ends = { peer: this.#peer, address: this.#address };
      const admittance = this.#terms.admit?.(ends.address) ?? null;
      if (isRefused(admittance)) return refusedClient(admittance, ends);
      this.#isAdmitted = true;
      this.#holds = admittance;
    }
    if (!this.#terms.readsHello) return this.#enter(null);
    const isTls = startsTls(bytes, start, end);
    if (isTls === null) return 'more';
    if (!isTls) return this.#lookForTlsRequest(bytes, start, end);
    const hello = this.#hello.read(bytes, start, end);
    if (hello === null) return 'more';
    return hello instanceof Malformed
      ? { reason: 'hello_malformed', detail: hello.problem }
      : this.#enter(hello);
  }

  #lookForTlsRequest(bytes: Buffer, start: number, end: number): Verdict {
    if (this.#requested === 'tls') return NOT_TLS;
    const request = this.#terms.admitsPostgres ? readTlsRequest(bytes, start, end) : false;
    if (request === null) return 'more';
    if (request === false || request === this.#requested)
      return this.#requested === 'gss' ? NOT_TLS : this.#enter(null);
    this.#requested = request;
    this.#seen = 0;
    return { consume: TLS_REQUEST.length, answer: request === 'tls' ? TLS_ADMITTED : NOT_SUPPORTED };
  }

  #enter(hello: ClientHello | null): Verdict {
    const facts = {
      peer: this.#peer,
      address: this.#address,
      proxy: this.#proxy,
      hello,
      ...(this.#requested === 'tls' && { isPostgres: true }),
      ...(this.#holds !== null && { holds: this.#holds }),
    };
    return { facts };
  }

  /** The client's IP address, as far as it is known. */
  get #address(): string {
    return this.#proxy?.source?.address ?? this.#peer;
  }
}
