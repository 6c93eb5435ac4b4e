import { performance } from 'node:perf_hooks';
import { Timed } from '../../core/timer-wheel.ts';
import { EPOLLERR, EPOLLHUP, EPOLLOUT } from '../../sys/epoll.ts';
import { EINPROGRESS, ETIMEDOUT, SystemCallError } from '../../sys/errno.ts';
import type { SocketAddress } from '../../sys/socket-address.ts';
import type { Attempts } from '../../upstream/attempts.ts';
import { NEXT_ADDRESS_MS, connectFailureOf, decisiveError } from '../../upstream/dial.ts';
import type { ConnectFailure, Endpoint } from '../../upstream/endpoint.ts';
import { addressContext } from '../../upstream/pick-context.ts';
import { armSilence, silenceLimit } from '../silence.ts';
import { rejectionOf } from '../tunnel-stats.ts';
import { QUIET_MS, type Tunnel, type TunnelContext } from '../tunnel.ts';
import { BREAKS_ONLY, Leg, type LegOwner } from './leg.ts';
import type { RawLoop } from './raw-loop.ts';

/** A tunnel on two sockets of our own. */
export class RawTunnel extends Timed implements LegOwner, Tunnel {
  readonly loop: RawLoop;
  readonly #context: TunnelContext;
  readonly #client: Leg;
  readonly #clientAddress: string;
  #upstream: Leg | null = null;
  #endpoint: Endpoint | null = null;
  /** While an endpoint is being looked for. */
  #attempts: Attempts | null = null;
  #joined = false;
  /** The endpoint's addresses that are left to dial, the one under way first. */
  #targets: readonly SocketAddress[] = [];
  /** The decisive error of the endpoint's addresses that have failed; null before the first. */
  #dialError: SystemCallError | null = null;
  #dialledAt = 0;
  readonly #openedAt: number;
  #activeAt: number;
  /** FIN has been sent to one side or both. */
  #halfClosed = false;
  #openLegs = 1;
  #reason = 'closed';

  /**
   * Takes a connection that has been accepted; {@link start} dials.
   *
   * @param clientAddress for the access lines
   * @throws SystemCallError where the connection cannot be watched; it will be closed then
   */
  constructor(context: TunnelContext, loop: RawLoop, fd: number, clientAddress: string) {
    super();
    this.#context = context;
    this.loop = loop;
    this.#clientAddress = clientAddress;
    this.#openedAt = this.#activeAt = loop.wheel.now;
    this.#client = new Leg(this);
    // Not read before there is an endpoint to take it.
    loop.poller.watch(this.#client, fd, BREAKS_ONLY);
    context.stats.connections.opened();
    context.tunnels.add(this);
  }

  /** Dials the first endpoint. */
  start(): void {
    this.#attempts = this.#context.cluster.attempts(addressContext(this.#clientAddress));
    this.#dialNext(this.#attempts);
  }

  get endpoint(): Endpoint | null {
    return this.#endpoint;
  }

  isOf(cluster: string, endpoint: string): boolean {
    return this.#joined && this.#endpoint?.cluster === cluster && this.#endpoint.label === endpoint;
  }

  evict(reason: string): boolean {
    if (!this.#context.tunnels.has(this)) return false;
    this.#cut(reason, false);
    return true;
  }

  drain(): boolean {
    const waits = this.#client.waits || this.#upstream?.waits === true;
    if (!this.#joined || waits || this.#context.wheel.now - this.#activeAt < QUIET_MS) return false;
    this.end();
    return true;
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

  legReady(leg: Leg, events: number): void {
    if (leg === this.#client) {
      // The client has gone before there was an endpoint for it.
      this.#cut('closed', false);
      return;
    }
    const broken = (events & (EPOLLERR | EPOLLHUP)) !== 0;
    const errno = broken ? this.loop.sockets.takeError(leg.fd) : 0;
    if (errno !== 0) this.#addressFailed(connectError(errno, this.#targets[0]!));
    else if (broken || (events & EPOLLOUT) !== 0) this.#join(leg);
  }

  legReceived(leg: Leg, bytes: number): void {
    const { stats, wheel } = this.#context;
    this.#activeAt = wheel.now;
    stats.values[leg === this.#client ? stats.bytesUpstream : stats.bytesDownstream]! += bytes;
  }

  legTook(): void {
    this.#activeAt = this.#context.wheel.now;
  }

  legFinished(): void {
    this.#halfClosed = true;
    this.#activeAt = this.#context.wheel.now;
    armSilence(this, this.#context, this.#halfClosed);
  }

  legClosed(): void {
    this.#openLegs--;
    if (this.#openLegs === 0) this.#over();
  }

  legFailed(leg: Leg): void {
    this.#reason = 'reset';
    leg.drop(false);
    leg.peer?.drop(true);
    this.#over();
  }

  legFaulted(error: unknown): void {
    this.#context.log.error({ err: error }, 'a tunnel failed');
    // Bytes may be lost, so that the ends must not take it for an end in good order.
    this.#cut('fault', true);
  }

  /** Takes endpoints until a dial is under way or none is left. */
  #dialNext(attempts: Attempts): void {
    const { loop } = this;
    const context = this.#context;
    for (;;) {
      const endpoint = attempts.next();
      if (endpoint === null) {
        context.stats.connections.rejected(rejectionOf(attempts));
        this.#cut('closed', false);
        return;
      }
      this.#endpoint = endpoint;
      this.#targets = endpoint.addresses.map((address) => loop.addresses.of(address));
      this.#dialError = null;
      this.#dialledAt = performance.now();
      if (this.#dialTargets()) return;
    }
  }

  /** Dials the addresses that are left; false where none of them can be dialled, which has been counted then. */
  #dialTargets(): boolean {
    const { sockets, poller } = this.loop;
    for (;;) {
      const target = this.#targets[0]!;
      const fd = sockets.open(target);
      const result = fd < 0 ? fd : sockets.connect(fd, target);
      let failure: SystemCallError | null;
      if (result === 0 || result === -EINPROGRESS) {
        const leg = new Leg(this);
        failure = poller.tryWatch(leg, fd, EPOLLOUT);
        if (failure === null) {
          this.#upstream = leg;
          if (result === 0) this.#join(leg);
          else this.#armDial();
          return true;
        }
      } else {
        if (fd >= 0) sockets.close(fd);
        failure = connectError(-result, target);
      }
      const error = (this.#dialError = decisiveError(this.#dialError, failure));
      this.#targets = this.#targets.slice(1);
      if (this.#targets.length > 0) continue;
      this.#endpointFailed(connectFailureOf(error), error.message);
      return false;
    }
  }

  #armDial(): void {
    const { wheel, cluster } = this.#context;
    const left = this.#dialledAt + cluster.config.connectTimeoutMs - performance.now();
    wheel.arm(this, Math.max(0, this.#targets.length > 1 ? Math.min(NEXT_ADDRESS_MS, left) : left));
  }

  #expired(): void {
    const { wheel, config } = this.#context;
    if (!this.#joined) {
      this.#addressFailed(connectError(ETIMEDOUT, this.#targets[0]!));
      return;
    }
    const limit = silenceLimit(config, this.#halfClosed);
    if (limit === null) return;
    const left = this.#activeAt + limit.ms - wheel.now;
    if (left > 0) wheel.arm(this, left);
    else this.#cut(limit.reason, false);
  }

  /** The dial under way has failed. */
  #addressFailed(failure: SystemCallError): void {
    this.#upstream?.drop(false);
    this.#upstream = null;
    const error = (this.#dialError = decisiveError(this.#dialError, failure));
    this.#targets = this.#targets.slice(1);
    if (this.#targets.length > 0) {
      if (this.#dialTargets()) return;
    } else {
      this.#endpointFailed(connectFailureOf(error), error.message);
    }
    this.#dialNext(this.#attempts!);
  }

  #endpointFailed(reason: ConnectFailure, detail: string): void {
    const { cluster, log } = this.#context;
    const endpoint = this.#endpoint!;
    cluster.failureLog.write(log, { cluster: cluster.name, endpoint: endpoint.label, reason, detail });
    this.#endpoint = null;
    this.#attempts!.fail(endpoint, reason, 'connect');
  }

  #join(upstream: Leg): void {
    const { loop } = this;
    const { cluster, stats, wheel } = this.#context;
    cluster.connectDuration.observe((performance.now() - this.#dialledAt) / 1000);
    const endpoint = this.#endpoint!;
    endpoint.countDial();
    this.#attempts?.succeed(endpoint);
    const [target] = this.#targets;
    const used = endpoint.addresses.find((address) => loop.addresses.of(address) === target);
    if (used !== undefined) endpoint.prefer(used);
    this.#targets = [];
    this.#attempts = null;
    stats.opened();
    this.#joined = true;
    this.#openLegs = 2;
    this.#accessLine('tunnel opened', {});
    this.#activeAt = wheel.now;
    armSilence(this, this.#context, this.#halfClosed);
    upstream.join(this.#client);
  }

  /** Ends both sides, in whatever state they are. */
  #cut(reason: string, reset: boolean): void {
    this.#reason = reason;
    this.#client.drop(reset);
    this.#upstream?.drop(reset);
    this.#over();
  }

  /** Both sides are closed, or will be at once. */
  #over(): void {
    const context = this.#context;
    if (!context.tunnels.delete(this)) return;
    context.wheel.disarm(this);
    this.#endpoint?.release();
    context.stats.connections.closed();
    if (!this.#joined) return;
    context.stats.closed(this.#reason);
    this.#accessLine('tunnel closed', {
      reason: this.#reason,
      seconds: (context.wheel.now - this.#openedAt) / 1000,
      bytesUpstream: this.#client.received,
      bytesDownstream: this.#upstream?.received ?? 0,
    });
  }

  #accessLine(message: string, more: object): void {
    const { access, config } = this.#context;
    access?.info(
      {
        listener: config.name,
        cluster: config.cluster,
        client: this.#clientAddress,
        endpoint: this.#endpoint?.label,
        ...more,
      },
      message,
    );
  }
}

function connectError(errno: number, { text }: SocketAddress): SystemCallError {
  return new SystemCallError('connect', errno, text);
}
