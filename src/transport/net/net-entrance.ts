import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { LiveSet } from '../../core/collections/live-set.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import { socketCalls, descriptorOf, writeDirectly } from '../../sys/node/node-sockets.ts';
import { UNRECOGNIZED_NAME } from '../../wire/tls/client-hello.ts';
import type { AcceptorOwner } from '../acceptor.ts';
import { ClientEntrance } from '../client-entrance.ts';
import {
  factsOf,
  type ClientChannel,
  type ClientFacts,
  type ClientOwner,
  type ClientTls,
  type TlsFacts,
} from '../client-transport.ts';
import { endsOfSocket, type SocketEnds } from '../connection-ends.ts';
import { hasEntryStages, type EntryFacts, type HelloFacts } from '../entry.ts';
import { NetArrivals } from './net-arrivals.ts';
import { asChannel, readByEvents, type ChannelHost, type NetChannel } from './net-channel.ts';
import { NetHandshake, type HandshakeOwner, type NetHandshakeContext } from './net-handshake.ts';
import { NetTls } from './net-tls.ts';

type NetClient = NetChannel & ClientChannel;

/** Turns accepted sockets into channels after their entry stages. */
export class NetEntrance
  extends ClientEntrance<Socket>
  implements AcceptorOwner<Socket>, HandshakeOwner, ChannelHost
{
  readonly #yieldToNode: (() => void) | null;
  readonly #arrivals: NetArrivals;
  readonly #handshakes: NetHandshakeContext;

  /** @param yieldToNode see {@link asChannel} */
  constructor(owner: ClientOwner, wheel: TimerWheel, yieldToNode: (() => void) | null) {
    super(owner, wheel);
    this.#yieldToNode = yieldToNode;
    this.#arrivals = new NetArrivals(wheel, this, yieldToNode);
    this.#handshakes = { wheel, owner: this, yieldToNode, inProgress: new LiveSet<NetHandshake>() };
  }

  /** Closes connections that are not served yet. */
  closeArrivals(): void {
    this.#arrivals.closeAll();
    for (const handshake of this.#handshakes.inProgress) handshake.drop();
  }

  accepted(socket: Socket): void {
    const { entry } = this.owner;
    const isWelcome = this.owner.clientArrived(descriptorOf(socket));
    if (isWelcome && hasEntryStages(entry)) {
      this.#arrivals.take(socket, entry);
      return;
    }
    const channel = this.#channelOf(socket);
    if (isWelcome) this.#serve(channel, factsOf(socket.remoteAddress ?? ''));
    else channel.destroy();
  }

  secured(socket: TLSSocket, { address, proxy }: EntryFacts, tls: TlsFacts): void {
    const channel = this.#channelOf(socket);
    channel.resetAndDestroy = resetSecured;
    this.#serve(channel, { address, proxy, tls });
  }

  closed(channel: NetChannel): void {
    this.owner.clientClosed(channel as NetClient);
  }

  faulted(error: unknown): void {
    this.owner.acceptFault(error);
  }

  protected override servePlain(socket: Socket, { address, proxy }: EntryFacts): void {
    this.#serve(this.#channelOf(socket), { address, proxy, tls: null });
  }

  protected override secure(socket: Socket, tls: ClientTls, facts: HelloFacts, since: number): void {
    if (!(tls instanceof NetTls)) throw new Error('TLS of another transport');
    new NetHandshake(this.#handshakes, socket, tls, facts, since).start();
  }

  protected override refuseName(socket: Socket): void {
    // If the descriptor is unknown, the client gets no alert.
    writeDirectly(socket, UNRECOGNIZED_NAME);
    this.close(socket);
  }

  protected override close(socket: Socket): void {
    socket.destroy();
    this.#yieldToNode?.();
  }

  #channelOf(socket: Socket): NetClient {
    const channel = Object.assign(asChannel(socket, null, this.#yieldToNode), {
      liveIndex: -1,
      ends: endsOfThis,
    });
    channel.host = this;
    readByEvents(channel);
    return channel;
  }

  /** Passes a channel to the owner. From here on the channel reports its close. */
  #serve(channel: NetClient, facts: ClientFacts): void {
    try {
      this.owner.clientAccepted(channel, facts);
    } catch (error) {
      channel.destroy();
      this.owner.acceptFault(error);
    }
  }
}

function endsOfThis(this: NetChannel): SocketEnds {
  return endsOfSocket(this);
}

/**
 * Resets the connection below TLS. Node refuses to reset TLS sockets. Resetting the socket below one and
 * destroying both within an OpenSSL callback ends the thread with SIGSEGV (seen in 22.23). Without system
 * calls the client gets FIN without close_notify, which also says that the stream was cut.
 */
function resetSecured(this: NetClient): NetClient {
  const fd = descriptorOf(this);
  if (fd !== undefined) socketCalls()?.resetOnClose(fd);
  this.destroy();
  return this;
}
