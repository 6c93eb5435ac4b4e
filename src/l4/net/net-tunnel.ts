import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { TICK_MS } from '../../core/timing/timer-wheel.ts';
import { unacknowledgedBytes } from '../../sys/node/node-sockets.ts';
import { atTrueEnd } from '../../sys/node/true-end.ts';
import { endsOfSocket, forwardedEnds } from '../../transport/connection-ends.ts';
import type { EntryFacts } from '../../transport/entry.ts';
import type { Attempts } from '../../upstream/attempts/attempts.ts';
import { failAttempt } from '../../upstream/attempts/failed-attempt.ts';
import { CONNECT_TIMED_OUT } from '../../upstream/attempts/failure-table.ts';
import { addressContext } from '../../upstream/balancers/balancer.ts';
import { connectFailureOf, dial, dialErrorOf } from '../../upstream/dialling/dial.ts';
import type { ConnectFailure, Endpoint } from '../../upstream/endpoint.ts';
import { writeProxyHeader } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import { TLS_ADMITTED, TLS_REQUEST } from '../../wire/tls/postgres-tls-request.ts';
import { CountedTunnel } from '../counted-tunnel.ts';
import { rejectionOf } from '../rejection.ts';
import { ResetLinger } from '../reset-linger.ts';
import { armSilence, silenceLimit } from '../silence.ts';
import { rejectTunnel } from '../tunnel-entry.ts';
import { QUIET_MS, type TunnelContext } from '../tunnel.ts';

/** Min size of a chunk to free explicitly after it is sent. */
const MIN_FREED_BYTES = 16 * 1024;

/** One side of a tunnel. Handlers are shared functions that find the tunnel through the socket. */
type NetLeg = Socket & {
  tunnel: NetTunnel;
  peer: NetLeg | null;
  failure: Error | null;
  isClient: boolean;
  carried: number;
};

/** A tunnel on two Node sockets. */
export class NetTunnel extends CountedTunnel {
  readonly #client: NetLeg;
  readonly #attempts: Attempts;
  #upstream: NetLeg | null = null;
  /** Bytes for the endpoint before the client's bytes. Null without any, and after the join. */
  #preface: Buffer | null = null;
  /** Whether the endpoint must admit TLS before the tunnel carries bytes. */
  #awaitsTls: boolean;
  #activeAt: number;
  /** True once FIN was sent to either side. */
  #halfClosed = false;
  #openLegs = 1;
  /** The side to reset after it gets its waiting bytes. Null without one. */
  #lingering: { readonly leg: NetLeg; readonly linger: ResetLinger } | null = null;

  /** @param client a paused socket, already counted as open */
  constructor(context: TunnelContext, client: Socket, facts: EntryFacts) {
    super(context, facts);
    this.#awaitsTls = facts.isPostgres === true;
    this.#activeAt = context.wheel.now;
    const { cluster } = context;
    const { proxyProtocol } = cluster.config;
    if (proxyProtocol !== 'off') {
      const ends = forwardedEnds(facts, facts.hello?.serverName ?? null, () => endsOfSocket(client));
      this.#preface = writeProxyHeader(proxyProtocol, ends);
    }
    this.#attempts = cluster.attempts(addressContext(facts.address));
    this.#client = this.#adopt(client, true);
    context.tunnels.add(this);
  }

  /** Dials the first endpoint. */
  start(): void {
    this.#tryNext();
  }

  evict(reason: string): boolean {
    if (this.#client.destroyed) return false;
    this.#close(reason);
    return true;
  }

  drain(): boolean {
    const { wheel } = this.context;
    const waiting = this.#client.writableLength + (this.#upstream?.writableLength ?? 0);
    if (!this.isJoined || waiting > 0 || wheel.now - this.#activeAt < QUIET_MS) return false;
    this.end();
    return true;
  }

  undrain(): void {
    // A busy tunnel does not remember drains.
  }

  end(): void {
    this.#close('drained');
  }

  abort(): void {
    this.#close('aborted');
  }

  /** Closes both sides after an error while serving the tunnel. */
  fault(error: unknown): void {
    this.context.log.error({ err: error }, 'tunnel failed');
    this.#close('fault');
  }

  #close(reason: string): void {
    if (this.#lingering !== null) {
      cut(this.#lingering.leg);
      return;
    }
    this.reason = reason;
    this.#client.destroy();
    // Before the join, the client's close drops the upstream. Destroying it first would look like a failed
    // dial.
    if (this.isJoined) this.#upstream?.destroy();
  }

  override expire(): void {
    if (!this.isJoined) {
      this.#failAttempt('timeout', CONNECT_TIMED_OUT);
      return;
    }
    if (this.#lingering !== null) {
      this.#resetWhenSent();
      return;
    }
    if (this.#awaitsTls) {
      this.refuseTls();
      return;
    }
    const { wheel, config } = this.context;
    const limit = silenceLimit(config, this.#halfClosed);
    if (limit === null) return;
    const left = this.#activeAt + limit.ms - wheel.now;
    if (left > 0) wheel.arm(this, left);
    else this.#close(limit.reason);
  }

  /** Notes that bytes crossed. */
  touch(): void {
    this.#activeAt = this.context.wheel.now;
  }

  legConnected(): void {
    const upstream = this.#upstream!;
    this.#openLegs = 2;
    this.#client.peer = upstream;
    upstream.peer = this.#client;
    this.countJoin(this.#attempts);
    this.#preface = null;
    this.touch();
    if (this.#awaitsTls) {
      this.context.wheel.arm(this, this.context.cluster.config.connectTimeoutMs);
      upstream.write(TLS_REQUEST);
      upstream.once('data', onTlsAnswer).once('end', onTlsRefusal);
    } else {
      this.carry();
    }
  }

  /** Carries bytes from now on. */
  carry(): void {
    this.#awaitsTls = false;
    armSilence(this, this.context, this.#halfClosed);
    const upstream = this.#upstream!;
    for (const leg of [this.#client, upstream]) {
      leg.on('data', onData);
      leg.on('drain', onDrain);
      leg.on('end', onEnd);
      leg.on('finish', onFinish);
    }
    // Node reads ahead on a socket that was read before, and can emit `end` while it is paused.
    if (this.#client.readableEnded) onEnd.call(this.#client);
    else this.#client.resume();
  }

  /** Closes both sides, because the endpoint does not admit TLS. */
  refuseTls(): void {
    this.#close('tls_refused');
  }

  /** Notes that FIN was sent to a side. */
  legFinished(): void {
    if (!this.context.tunnels.has(this) || this.#lingering !== null) return;
    this.#halfClosed = true;
    this.touch();
    armSilence(this, this.context, this.#halfClosed);
  }

  legClosed(leg: NetLeg): void {
    if (!this.isJoined) {
      if (leg !== this.#client) {
        const failure = leg.failure ?? new Error('closed');
        this.#failAttempt(connectFailureOf(failure), failure.message);
        return;
      }
      this.#dropUpstream()?.release();
      this.#over();
      return;
    }
    const { peer } = leg;
    if (leg.failure !== null && peer !== null && !peer.destroyed) {
      this.reason = 'reset';
      // Node may have read ahead while the leg was paused, and emits no more data.
      const rest = leg.read() as Buffer | null;
      if (rest !== null) onData.call(leg, rest);
      peer.pause();
      this.#lingering = { leg: peer, linger: new ResetLinger(this.context.wheel.now) };
      this.#resetWhenSent();
    }
    this.#openLegs--;
    if (this.#openLegs > 0) return;
    this.#over();
  }

  /** Resets the lingering side if no bytes wait for it. Otherwise checks again after a tick. */
  #resetWhenSent(): void {
    const { wheel } = this.context;
    const { leg, linger } = this.#lingering!;
    if (linger.isOver(unacknowledgedBytes(leg), wheel.now)) cut(leg);
    else wheel.arm(this, TICK_MS);
  }

  #adopt(socket: Socket, isClient: boolean): NetLeg {
    const leg = Object.assign(socket, {
      tunnel: this,
      peer: null,
      failure: null,
      isClient,
      carried: 0,
    }) as NetLeg;
    leg.on('error', onError);
    leg.on('close', onClose);
    return leg;
  }

  #tryNext(): void {
    const { cluster, wheel } = this.context;
    const endpoint = this.#attempts.next();
    if (endpoint === null) {
      rejectTunnel(this.context, this.facts, rejectionOf(this.#attempts));
      this.#client.destroy();
      return;
    }
    this.endpoint = endpoint;
    this.dialledAt = performance.now();
    wheel.arm(this, cluster.config.connectTimeoutMs);
    const socket = dial(endpoint, { tls: cluster.tls, preface: this.#preface, allowHalfOpen: true });
    this.#upstream = this.#adopt(socket, false);
    socket.once(cluster.tls === null ? 'connect' : 'secureConnect', onConnect);
  }

  #failAttempt(reason: ConnectFailure, detail: string): void {
    const { cluster, log } = this.context;
    const endpoint = this.#dropUpstream()!;
    failAttempt(this.#attempts, cluster, log, { endpoint, reason, detail, outlier: 'connect' });
    this.#tryNext();
  }

  /**
   * Closes the connection to the endpoint. Returns the endpoint, which still counts the connection. Null
   * without one.
   */
  #dropUpstream(): Endpoint | null {
    const upstream = this.#upstream;
    const endpoint = this.endpoint;
    this.#upstream = null;
    this.endpoint = null;
    if (upstream !== null) {
      upstream.off('close', onClose);
      upstream.destroy();
    }
    return endpoint;
  }

  #over(): void {
    this.countEnd(this.#client.carried, this.#upstream?.carried ?? 0);
  }
}

function onConnect(this: NetLeg): void {
  this.tunnel.legConnected();
}

/** Called with the endpoint's answer to a request for TLS. It sends nothing else before the ClientHello. */
function onTlsAnswer(this: NetLeg, answer: Buffer): void {
  this.off('end', onTlsRefusal);
  if (answer.equals(TLS_ADMITTED)) this.tunnel.carry();
  else this.tunnel.refuseTls();
}

function onTlsRefusal(this: NetLeg): void {
  this.tunnel.refuseTls();
}

function onData(this: NetLeg, chunk: Buffer): void {
  const { tunnel, peer } = this;
  tunnel.touch();
  tunnel.countBytes(this.isClient, chunk.length);
  this.carried += chunk.length;
  if (peer === null) return;
  // `write` returns false for chunks above the high-water mark, even if the kernel took all of them.
  if (!peer.write(chunk) && peer.writableLength > 0) this.pause();
  else if (chunk.length >= MIN_FREED_BYTES && peer.writableLength === 0) release(chunk);
}

/**
 * Frees the memory of a sent chunk. Node reads the next chunk into the same memory, which is still in the CPU
 * cache. Otherwise the memory would wait for garbage collection.
 */
function release(chunk: Buffer): void {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.length) buffer.transfer(0);
}

/** Called when all bytes that waited for this side are sent. Resumes the other side. */
function onDrain(this: NetLeg): void {
  this.tunnel.touch();
  this.peer?.resume();
}

function onEnd(this: NetLeg): void {
  atTrueEnd(this, () => this.peer?.end());
}

/** Called when FIN was sent to this side, after all bytes. */
function onFinish(this: NetLeg): void {
  this.tunnel.legFinished();
}

function onError(this: NetLeg, error: Error): void {
  this.failure = dialErrorOf(error);
}

function onClose(this: NetLeg): void {
  this.tunnel.legClosed(this);
}

/** Passes a reset on. UNIX sockets have no reset, and Node sends none under TLS: these are closed instead. */
function cut(leg: NetLeg): void {
  if (leg.remoteFamily === undefined || leg instanceof TLSSocket) leg.destroy();
  else leg.resetAndDestroy();
}
