import { isDeepStrictEqual } from 'node:util';
import type { HttpSettings, L7Listener } from '../../config/types/listener.ts';
import { LiveSet } from '../../core/collections/live-set.ts';
import type { TicketKeyRing } from '../../core/ticket-key-ring.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type {
  ClientAcceptor,
  ClientChannel,
  ClientFacts,
  ClientOwner,
  ClientTls,
  ClientTransport,
  Passthrough,
} from '../../transport/client-transport.ts';
import { entryTermsOf, type EntryRejection, type EntryTerms } from '../../transport/entry.ts';
import { RequestHeadReader, type RequestHeadLimits } from '../../wire/http/request-reader.ts';
import type { ChannelWriter } from '../buffers/channel-writer.ts';
import type { EngineListener, ListenerOwner } from '../contract/engine.ts';
import type { ExchangeEngine } from '../contract/exchange.ts';
import type { ConnectionTerms } from './connection-terms.ts';
import { Http1Connection } from './connection.ts';
import type { Pipelines } from './pipelines.ts';

/** State that the listeners of one engine share. */
export interface Http1Terms {
  readonly engine: ExchangeEngine;
  readonly transport: ClientTransport;
  /** Returns the ticket keys of a listener with TLS. */
  readonly ticketKeys: (listener: string) => TicketKeyRing;
  readonly wheel: TimerWheel;
  readonly writer: ChannelWriter;
  readonly pipelines: Pipelines;
}

/** One layer 7 listener whose connections speak sluice's own HTTP/1.x. */
export class Http1Listener implements EngineListener, ClientOwner, ConnectionTerms {
  readonly owner: ListenerOwner;
  readonly engine: ExchangeEngine;
  readonly wheel: TimerWheel;
  readonly writer: ChannelWriter;
  readonly pipelines: Pipelines;
  readonly #createTls: (config: L7Listener) => ClientTls | null;
  readonly #acceptor: ClientAcceptor;
  /** Open connections, including sessions. */
  readonly #channels = new LiveSet<ClientChannel>();
  #config: L7Listener;
  /** An idle reader for reuse, or null while it is lent. */
  #reader: RequestHeadReader | null = null;
  #limits: RequestHeadLimits;
  entry: EntryTerms;
  tls: ClientTls | null;
  /** Created by the last {@link prepare} and not applied yet, or null. */
  #preparedTls: ClientTls | null = null;
  readonly passthrough: Passthrough | null;
  #stopped = false;

  constructor(config: L7Listener, owner: ListenerOwner, terms: Http1Terms) {
    const { engine, transport, ticketKeys, wheel, writer, pipelines } = terms;
    this.owner = owner;
    this.passthrough = owner.passthrough;
    this.engine = engine;
    this.wheel = wheel;
    this.writer = writer;
    this.pipelines = pipelines;
    this.#config = config;
    this.#limits = limitsOf(config);
    this.entry = entryTermsOf(config);
    this.#createTls = ({ name, tls }) =>
      tls === null ? null : transport.createTls(name, tls, ticketKeys(name));
    this.#acceptor = transport.createAcceptor(config.address, this);
    this.tls = this.#createTls(config);
  }

  get http(): HttpSettings {
    return this.#config.http;
  }

  get port(): number {
    return this.#config.address.port;
  }

  get isLeaving(): boolean {
    return this.#stopped;
  }

  fits({ address, engine }: L7Listener): boolean {
    return isDeepStrictEqual([address, engine], [this.#config.address, this.#config.engine]);
  }

  prepare(config: L7Listener): () => void {
    // An unused one is left if the previous reload failed elsewhere.
    this.#preparedTls?.close();
    this.#preparedTls = null;
    const isNew = !isDeepStrictEqual(config.tls, this.#config.tls);
    const next = isNew ? this.#createTls(config) : this.tls;
    if (isNew) this.#preparedTls = next;
    return () => {
      if (isNew) {
        this.tls?.close();
        this.tls = next;
        this.#preparedTls = null;
      }
      this.#config = config;
      this.#reader = null;
      this.#limits = limitsOf(config);
      this.entry = entryTermsOf(config);
    };
  }

  listen(): Promise<void> | void {
    this.#stopped = false;
    return this.#acceptor.listen();
  }

  get listens(): boolean {
    return this.#acceptor.listens;
  }

  handOver(from: number | null): void {
    this.#acceptor.handOver(from);
  }

  stop(): void {
    this.#stopped = true;
    this.#acceptor.stop();
  }

  close(): void {
    this.stop();
    this.#acceptor.closeArrivals();
    for (const channel of this.#channels) channel.destroy();
    this.tls?.close();
    this.#preparedTls?.close();
  }

  takeReader(): RequestHeadReader {
    const reader = this.#reader;
    this.#reader = null;
    return reader ?? new RequestHeadReader(this.#limits);
  }

  giveReader(reader: RequestHeadReader): void {
    // A configuration with other limits may have lent it.
    if (reader.limits === this.#limits) this.#reader = reader;
  }

  clientArrived(descriptor: number | undefined): boolean {
    return this.owner.connectionOpened(descriptor);
  }

  clientAccepted(channel: ClientChannel, facts: ClientFacts): void {
    this.#channels.add(channel);
    new Http1Connection(channel, facts, this).start();
  }

  clientRejected(rejection: EntryRejection): void {
    this.owner.connectionRejected(rejection);
  }

  clientTunnelled(): void {
    this.owner.connectionTunnelled();
  }

  clientClosed(channel: ClientChannel | null): void {
    if (channel !== null) this.#channels.delete(channel);
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
