import { performance } from 'node:perf_hooks';
import { TICK_MS } from '../../core/timing/timer-wheel.ts';
import { EventLoop } from '../../loop/event-loop.ts';
import type { Watched } from '../../loop/poller.ts';
import { BREAKS_ONLY } from '../../sys/epoll.ts';
import { endsOfDescriptor, forwardedEnds, type SocketEnds } from '../../transport/connection-ends.ts';
import type { EntryFacts } from '../../transport/entry.ts';
import type { Attempts } from '../../upstream/attempts/attempts.ts';
import { failAttempt } from '../../upstream/attempts/failed-attempt.ts';
import { addressContext } from '../../upstream/balancers/balancer.ts';
import { AddressDial, type DialOwner } from '../../upstream/dialling/address-dial.ts';
import { connectFailureOf } from '../../upstream/dialling/dial.ts';
import { EndpointAddresses } from '../../upstream/dialling/endpoint-addresses.ts';
import { writeProxyHeader } from '../../wire/proxy-protocol/proxy-header-writer.ts';
import { TLS_REQUEST } from '../../wire/tls/postgres-tls-request.ts';
import { CountedTunnel } from '../counted-tunnel.ts';
import { rejectionOf } from '../rejection.ts';
import { ResetLinger } from '../reset-linger.ts';
import { armSilence, silenceLimit } from '../silence.ts';
import { rejectTunnel } from '../tunnel-entry.ts';
import { QUIET_MS, type TunnelContext } from '../tunnel.ts';
import { Leg, type LegOwner } from './leg.ts';

/** The event loop of a thread that carries tunnels. */
export class RawLoop extends EventLoop {
  readonly addresses = new EndpointAddresses();
}

/** A tunnel between two sockets of the proxy, without Node. */
export class RawTunnel extends CountedTunnel implements LegOwner, DialOwner {
  readonly loop: RawLoop;
  readonly #client: Leg;
  #upstream: Leg | null = null;
  /** Null before {@link start} and after the join. */
  #attempts: Attempts | null = null;
  /** The dial in progress. Null without one. */
  #dial: AddressDial | null = null;
  /** Bytes for the endpoint before the client's bytes. Null without any, and after the join. */
  #preface: Buffer | null = null;
  /** The side to reset after it gets its waiting bytes. Null without one. */
  #lingering: { readonly leg: Leg; readonly linger: ResetLinger } | null = null;
  /** Whether the endpoint must admit TLS before the tunnel carries bytes. */
  #awaitsTls: boolean;
  #activeAt: number;
  /** True once FIN was sent to either side. */
  #halfClosed = false;
  #openLegs = 1;

  /**
   * Takes over a connection already counted as open. {@link start} dials.
   *
   * @param connection a descriptor, watched or not
   * @throws SystemCallError if the connection cannot be watched; it is then closed
   */
  constructor(context: TunnelContext, loop: RawLoop, connection: number | Watched, facts: EntryFacts) {
    super(context, facts);
    this.loop = loop;
    this.#awaitsTls = facts.isPostgres === true;
    this.#activeAt = loop.wheel.now;
    this.#client = new Leg(this);
    // Nothing is read from the client before an endpoint accepts.
    if (typeof connection === 'number') loop.poller.watch(this.#client, connection, BREAKS_ONLY);
    else loop.poller.adopt(connection, this.#client);
    context.tunnels.add(this);
  }

  /** Dials the first endpoint. */
  start(): void {
    // A descriptor that was watched before may still be watched for reads.
    this.loop.poller.change(this.#client, BREAKS_ONLY);
    const { cluster } = this.context;
    const { proxyProtocol } = cluster.config;
    const facts = this.facts!;
    if (proxyProtocol !== 'off') {
      const own = (): SocketEnds => endsOfDescriptor(this.loop.sockets, this.#client.fd);
      this.#preface = writeProxyHeader(
        proxyProtocol,
        forwardedEnds(facts, facts.hello?.serverName ?? null, own),
      );
    }
    if (this.#awaitsTls) this.#preface = Buffer.concat([this.#preface ?? Buffer.alloc(0), TLS_REQUEST]);
    this.#attempts = cluster.attempts(addressContext(facts.address));
    this.#dialNext(this.#attempts);
  }

  evict(reason: string): boolean {
    if (!this.context.tunnels.has(this)) return false;
    this.#cut(reason, false);
    return true;
  }

  drain(): boolean {
    const waits = this.#client.waits || this.#upstream?.waits === true;
    if (!this.isJoined || waits || this.context.wheel.now - this.#activeAt < QUIET_MS) return false;
    this.end();
    return true;
  }

  undrain(): void {
    // A busy tunnel does not remember drains.
  }

  end(): void {
    this.#cut('drained', false);
  }

  abort(): void {
    this.#cut('aborted', false);
  }

  override expire(): void {
    try {
      this.#expired();
    } catch (error) {
      this.legFaulted(error);
    }
  }

  dialConnected(connection: Watched): void {
    this.#dial = null;
    const leg = new Leg(this);
    this.loop.poller.adopt(connection, leg);
    this.#upstream = leg;
    this.#join(leg);
  }

  dialFailed(error: Error): void {
    this.#endpointFailed(error);
    this.#dialNext(this.#attempts!);
  }

  dialFault(error: unknown): void {
    this.legFaulted(error);
  }

  legReceived(leg: Leg, bytes: number): void {
    this.#activeAt = this.context.wheel.now;
    this.countBytes(leg === this.#client, bytes);
  }

  legDrained(): void {
    this.#activeAt = this.context.wheel.now;
  }

  legFinished(): void {
    this.#halfClosed = true;
    this.#activeAt = this.context.wheel.now;
    armSilence(this, this.context, this.#halfClosed);
  }

  legClosed(): void {
    this.#openLegs--;
    if (this.#openLegs === 0) this.#over();
  }

  legAdmittedTls(): void {
    this.#awaitsTls = false;
    this.#activeAt = this.context.wheel.now;
    armSilence(this, this.context, this.#halfClosed);
  }

  legRefusedTls(): void {
    this.#cut('tls_refused', false);
  }

  legFailed(leg: Leg): void {
    this.reason = 'reset';
    const { peer } = leg;
    leg.drop(false);
    if (peer === null || peer.fd < 0) {
      this.#over();
      return;
    }
    peer.linger();
    this.#lingering = { leg: peer, linger: new ResetLinger(this.context.wheel.now) };
    this.#resetWhenSent();
  }

  legFaulted(error: unknown): void {
    this.context.log.error({ err: error }, 'tunnel failed');
    // Bytes may be lost: after a FIN, truncated data would look complete.
    this.#cut('fault', true);
  }

  /** Resets the lingering side if no bytes wait for it. Otherwise checks again after a tick. */
  #resetWhenSent(): void {
    const { wheel } = this.context;
    const { leg, linger } = this.#lingering!;
    if (linger.isOver(leg.sendRest(), wheel.now)) {
      leg.drop(true);
      this.#over();
    } else {
      wheel.arm(this, TICK_MS);
    }
  }

  /** Tries endpoints until a dial is in progress or none is left. */
  #dialNext(attempts: Attempts): void {
    const { loop } = this;
    const context = this.context;
    for (;;) {
      const endpoint = attempts.next();
      if (endpoint === null) {
        rejectTunnel(context, this.facts, rejectionOf(attempts));
        this.#cut('closed', false);
        return;
      }
      this.endpoint = endpoint;
      this.dialledAt = performance.now();
      const dial = new AddressDial(loop, (address) => loop.addresses.of(address), endpoint, this);
      if (dial.start()) {
        this.#dial = dial;
        context.wheel.arm(this, context.cluster.config.connectTimeoutMs);
        return;
      }
      this.#endpointFailed(dial.error);
    }
  }

  #expired(): void {
    const { wheel, config } = this.context;
    if (this.#lingering !== null) {
      this.#resetWhenSent();
      return;
    }
    if (!this.isJoined) {
      this.dialFailed(this.#dial!.timeOut());
      return;
    }
    if (this.#awaitsTls) {
      this.legRefusedTls();
      return;
    }
    const limit = silenceLimit(config, this.#halfClosed);
    if (limit === null) return;
    const left = this.#activeAt + limit.ms - wheel.now;
    if (left > 0) wheel.arm(this, left);
    else this.#cut(limit.reason, false);
  }

  #endpointFailed(error: Error): void {
    const { cluster, log } = this.context;
    const endpoint = this.endpoint!;
    this.#dial = null;
    this.endpoint = null;
    failAttempt(this.#attempts!, cluster, log, {
      endpoint,
      reason: connectFailureOf(error),
      detail: error.message,
      outlier: 'connect',
    });
  }

  #join(upstream: Leg): void {
    this.countJoin(this.#attempts);
    this.#attempts = null;
    this.#openLegs = 2;
    this.#activeAt = this.context.wheel.now;
    armSilence(this, this.context, this.#halfClosed);
    const preface = this.#preface;
    this.#preface = null;
    if (this.#awaitsTls) {
      upstream.requestTls();
      this.context.wheel.arm(this, this.context.cluster.config.connectTimeoutMs);
    }
    upstream.join(this.#client);
    if (preface !== null) upstream.sendFirst(preface);
  }

  /** Closes both sides, in any state. */
  #cut(reason: string, reset: boolean): void {
    const lingers = this.#lingering !== null;
    if (!lingers) this.reason = reason;
    this.#dial?.cancel();
    this.#dial = null;
    this.#client.drop(reset || lingers);
    this.#upstream?.drop(reset || lingers);
    this.#over();
  }

  /** Called when both sides are closed or closing. Counts the end. */
  #over(): void {
    this.countEnd(this.#client.received, this.#upstream?.received ?? 0);
  }
}
