import type { Socket } from 'node:net';
import type { HealthCheck } from '../../config/types/cluster.ts';
import type { Address } from '../../core/address.ts';
import { ownShortageOf } from '../../core/shortage.ts';
import { dial, dialErrorOf } from '../dialling/dial.ts';
import type { ProbeEnd, ProbeExchange } from './exchange.ts';
import { HttpExchange } from './http-exchange.ts';
import { TcpExchange } from './tcp-exchange.ts';
import { WebSocketExchange } from './websocket-exchange.ts';
import type { UpstreamTls } from '../upstream-tls.ts';

/** What is probed. */
interface ProbeTarget {
  readonly label: string;
  readonly server: Address;
  readonly addresses: readonly Address[];
  readonly tls: UpstreamTls | null;
}

/** The result of one probe. `unmade` says nothing about the endpoint: the proxy could not probe it. */
export type ProbeResult =
  | { readonly verdict: 'well' }
  /** With what is wrong, in a few words. */
  | { readonly verdict: 'ill' | 'unmade'; readonly reason: string };

/** A timer later than this shows that the thread was held up: an answer may be waiting. */
const MAX_LATENESS_MS = 1000;

/**
 * Probes an endpoint once, on a connection of its own.
 *
 * @param done called once, later
 * @param open dials; a test may bring its own
 * @returns how to give up, after which `done` is not called
 */
export function probe(
  target: ProbeTarget,
  check: HealthCheck,
  done: (result: ProbeResult) => void,
  open: typeof dial = dial,
): () => void {
  return new Probe(target, check, done, open).cancel;
}

class Probe implements ProbeEnd {
  readonly #done: (result: ProbeResult) => void;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #over = false;

  constructor(
    target: ProbeTarget,
    check: HealthCheck,
    done: (result: ProbeResult) => void,
    open: typeof dial,
  ) {
    this.#done = done;
    const exchange = exchangeOf(check, target.server);
    const socket = (this.#socket = open(target, { tls: target.tls, allowHalfOpen: false }));
    const dueAt = performance.now() + check.timeoutMs;
    this.#timer = setTimeout(() => {
      if (performance.now() - dueAt > MAX_LATENESS_MS) this.#unmade('the proxy was held up');
      else this.failed('timed out');
    }, check.timeoutMs);
    socket.on('error', (error) => {
      const reason = dialErrorOf(error).message;
      if (ownShortageOf(error) === null) this.failed(reason);
      else this.#unmade(reason);
    });
    socket.on('close', () => this.failed('closed the connection'));
    socket.once(target.tls === null ? 'connect' : 'secureConnect', () =>
      this.#send(exchange.connected(this)),
    );
    socket.on('data', (bytes: Buffer) => this.#send(exchange.received(bytes, this)));
  }

  readonly cancel = (): void => {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
  };

  passed(farewell: Uint8Array | null = null): void {
    if (farewell !== null) this.#send(farewell);
    this.#end({ verdict: 'well' });
  }

  failed(reason: string): void {
    this.#end({ verdict: 'ill', reason });
  }

  #unmade(reason: string): void {
    this.#end({ verdict: 'unmade', reason });
  }

  #send(bytes: Uint8Array | null): void {
    if (!this.#over && bytes !== null) this.#socket.write(bytes);
  }

  #end(result: ProbeResult): void {
    if (this.#over) return;
    this.cancel();
    this.#done(result);
  }
}

function exchangeOf(check: HealthCheck, server: Address): ProbeExchange {
  switch (check.type) {
    case 'tcp':
      return new TcpExchange();
    case 'http':
      return new HttpExchange(check, server);
    case 'websocket':
      return new WebSocketExchange(check, server);
  }
}
