import { isDeepStrictEqual } from 'node:util';
import type { HttpSettings, L7Listener } from '../../config/types/listener.ts';
import { LiveSet } from '../../core/collections/live-set.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { Acceptor } from '../../transport/acceptor.ts';
import type { ClientChannel, ClientOwner, ClientTransport } from '../../transport/client-transport.ts';
import { RequestHeadReader, type RequestHeadLimits } from '../../wire/http/request-reader.ts';
import { normalizeIp } from '../../wire/ip-address.ts';
import type { ChannelWriter } from '../buffers/channel-writer.ts';
import type { EngineListener, ListenerOwner } from '../contract/engine.ts';
import type { ExchangeEngine } from '../contract/exchange.ts';
import type { ConnectionTerms } from './connection-terms.ts';
import { Http1Connection } from './connection.ts';
import type { Pipelines } from './pipelines.ts';

/** What the listeners of one engine share. */
export interface Http1Terms {
  readonly engine: ExchangeEngine;
  readonly transport: ClientTransport;
  readonly wheel: TimerWheel;
  readonly writer: ChannelWriter;
  readonly pipelines: Pipelines;
}

/** One layer 7 listener whose connections speak our own HTTP/1.x. */
export class Http1Listener implements EngineListener, ClientOwner, ConnectionTerms {
  readonly owner: ListenerOwner;
  readonly engine: ExchangeEngine;
  readonly wheel: TimerWheel;
  readonly writer: ChannelWriter;
  readonly pipelines: Pipelines;
  readonly #acceptor: Acceptor;
  /** The open connections, sessions included. */
  readonly #channels = new LiveSet<ClientChannel>();
  #config: L7Listener;
  /** A reader between two heads; null if it is lent. */
  #reader: RequestHeadReader | null = null;
  #limits: RequestHeadLimits;
  #stopped = false;

  constructor(config: L7Listener, owner: ListenerOwner, terms: Http1Terms) {
    const { engine, transport, wheel, writer, pipelines } = terms;
    this.owner = owner;
    this.engine = engine;
    this.wheel = wheel;
    this.writer = writer;
    this.pipelines = pipelines;
    this.#config = config;
    this.#limits = limitsOf(config);
    this.#acceptor = transport.createAcceptor(config.address, this);
  }

  get http(): HttpSettings {
    return this.#config.http;
  }

  get isLeaving(): boolean {
    return this.#stopped;
  }

  fits({ address, engine, tls }: L7Listener): boolean {
    return isDeepStrictEqual(
      [address, engine, tls],
      [this.#config.address, this.#config.engine, this.#config.tls],
    );
  }

  prepare(config: L7Listener): () => void {
    return () => {
      this.#config = config;
      this.#reader = null;
      this.#limits = limitsOf(config);
    };
  }

  listen(): Promise<void> | void {
    this.#stopped = false;
    return this.#acceptor.listen();
  }

  get listens(): boolean {
    return this.#acceptor.listens;
  }

  leave(from: number | null): void {
    this.#acceptor.leave(from);
  }

  stop(): void {
    this.#stopped = true;
    this.#acceptor.stop();
  }

  close(): void {
    this.stop();
    for (const channel of this.#channels) channel.destroy();
  }

  takeReader(): RequestHeadReader {
    const reader = this.#reader;
    this.#reader = null;
    return reader ?? new RequestHeadReader(this.#limits);
  }

  giveReader(reader: RequestHeadReader): void {
    // It may have been lent under a configuration with other limits.
    if (reader.limits === this.#limits) this.#reader = reader;
  }

  clientAccepted(channel: ClientChannel, peer: string, descriptor: number | undefined): void {
    this.#channels.add(channel);
    if (!this.owner.connectionOpened(descriptor)) {
      channel.destroy();
      return;
    }
    // A socket for IPv4 and IPv6 tells IPv4 addresses as ::ffff:192.0.2.1.
    new Http1Connection(channel, normalizeIp(peer) ?? peer, this).start();
  }

  clientClosed(channel: ClientChannel): void {
    this.#channels.delete(channel);
    this.owner.connectionClosed();
  }

  acceptFailed(code: string, isFirst: boolean): boolean {
    return this.owner.acceptFailed(code, isFirst);
  }

  acceptFault(error: unknown): void {
    this.owner.acceptFault(error);
  }
}

function limitsOf({ http }: L7Listener): RequestHeadLimits {
  return { maxHeadBytes: http.maxHeaderSize, maxHeaders: http.maxHeaders };
}
