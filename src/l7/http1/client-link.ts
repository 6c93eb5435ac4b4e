import { Timed } from '../../core/timing/timer-wheel.ts';
import type { ClientChannel, ClientFacts, TlsFacts } from '../../transport/client-transport.ts';
import { forwardedEnds } from '../../transport/connection-ends.ts';
import type { ConnectionFacts } from '../../wire/forwarding/client-identity.ts';
import type { ConnectionEnds } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import type { ProxyHeader } from '../../wire/proxy-protocol/proxy-header.ts';
import type { ClientCertificate } from '../../wire/tls/client-certificate.ts';
import type { ClientConnection } from '../contract/client-connections.ts';

/** Max buffered bytes after the current request before the client is paused. */
const MAX_REST_BYTES = 16 * 1024;

/** Identifies a client's connection, controls its reads, and buffers bytes that arrive too early. */
export abstract class ClientLink extends Timed implements ClientConnection, ConnectionFacts {
  readonly channel: ClientChannel;
  readonly peer: string;
  readonly port: number;
  readonly #tls: TlsFacts | null;
  /** The client's PROXY header, or null. */
  readonly #proxy: ProxyHeader | null;
  isWatched = false;
  /** Bytes after the current request, or null. */
  protected rest: Buffer | null = null;
  #isPaused = false;

  /** @param port the listener's port */
  constructor(channel: ClientChannel, { address, proxy, tls }: ClientFacts, port: number) {
    super();
    this.channel = channel;
    this.peer = address;
    this.port = proxy?.destination?.port ?? port;
    this.#tls = tls;
    this.#proxy = proxy;
  }

  get secure(): boolean {
    return this.#tls !== null;
  }

  get certificate(): ClientCertificate | null {
    return this.#tls?.certificate ?? null;
  }

  get vpcEndpointId(): string | null {
    return this.#proxy?.vpcEndpointId ?? null;
  }

  ends(): ConnectionEnds {
    const client = { address: this.peer, proxy: this.#proxy };
    return forwardedEnds(client, this.#tls?.serverName ?? null, () => this.channel.ends());
  }

  isOpen(): boolean {
    return !this.channel.destroyed;
  }

  watch(): boolean {
    this.isWatched = true;
    return this.isOpen();
  }

  unwatch(): void {
    this.isWatched = false;
  }

  /** Closes at once. @param resets whether the client gets a reset */
  cutOff(resets: boolean): void {
    if (resets) this.channel.resetAndDestroy();
    else this.channel.destroy();
  }

  /** Stops reading until {@link resume}. */
  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.channel.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.channel.resume();
  }

  /** Max size of the next read, at least 1, so that all of its bytes could be buffered within the limit. */
  protected get room(): number {
    return Math.max(1, MAX_REST_BYTES - (this.rest?.length ?? 0));
  }

  /** Buffers a copy of bytes after the current request. Pauses the client if too many are buffered. */
  protected keep(bytes: Buffer): void {
    this.rest = this.rest === null ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
    if (this.rest.length >= MAX_REST_BYTES) this.pause();
  }
}
