import { Timed } from '../../core/timing/timer-wheel.ts';
import type { ClientChannel, ClientFacts, TlsFacts } from '../../transport/client-transport.ts';
import { forwardedEnds } from '../../transport/connection-ends.ts';
import type { ConnectionFacts } from '../../wire/forwarding/client-identity.ts';
import type { ConnectionEnds } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import type { ProxyHeader } from '../../wire/proxy-protocol/proxy-header.ts';
import type { ClientCertificate } from '../../wire/tls/client-certificate.ts';
import type { ClientConnection } from '../contract/client-connections.ts';

/** Kept bytes at which the client is paused. */
const MAX_REST_BYTES = 16 * 1024;

/** A client's connection as others know it, whether it is read, and what has been read too early. */
export abstract class ClientLink extends Timed implements ClientConnection, ConnectionFacts {
  readonly channel: ClientChannel;
  readonly peer: string;
  readonly port: number;
  readonly #tls: TlsFacts | null;
  /** What a PROXY header has told; null without one. */
  readonly #proxy: ProxyHeader | null;
  isWatched = false;
  /** Bytes behind the current request; null for none. */
  protected rest: Buffer | null = null;
  #isPaused = false;

  /** @param port the listener's */
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

  /** Closes now. @param resets whether the client gets a reset */
  cutOff(resets: boolean): void {
    if (resets) this.channel.resetAndDestroy();
    else this.channel.destroy();
  }

  /** Receives nothing more until {@link resume}. */
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

  /** How many bytes may be read if all of them could have to be kept: they are no more than the limit then. At least 1. */
  protected get room(): number {
    return Math.max(1, MAX_REST_BYTES - (this.rest?.length ?? 0));
  }

  /** Keeps a copy of bytes that have come behind the current request. The client waits when they are many. */
  protected keep(bytes: Buffer): void {
    this.rest = this.rest === null ? Buffer.from(bytes) : Buffer.concat([this.rest, bytes]);
    if (this.rest.length >= MAX_REST_BYTES) this.pause();
  }
}
