import type { Socket } from 'node:net';
import type { HealthCheck } from '../config/types.ts';
import type { Address } from '../core/address.ts';
import { messageOf } from '../core/errors.ts';
import { dial } from './dial.ts';
import type { ProbeEnd, ProbeExchange } from './probes/exchange.ts';
import { HttpExchange } from './probes/http-exchange.ts';
import { TcpExchange } from './probes/tcp-exchange.ts';
import { WebSocketExchange } from './probes/websocket-exchange.ts';
import type { UpstreamTls } from './upstream-tls.ts';

/** What is probed. */
interface ProbeTarget {
  readonly label: string;
  readonly server: Address;
  readonly addresses: readonly Address[];
  readonly tls: UpstreamTls | null;
}

/**
 * Probes an endpoint once, on a connection of its own.
 *
 * @param done gets null where the endpoint is well, else in a few words what is wrong; called once, later
 * @returns how to give up, after which `done` is not called
 */
export function probe(
  target: ProbeTarget,
  check: HealthCheck,
  done: (failure: string | null) => void,
): () => void {
  return new Probe(target, check, done).cancel;
}

class Probe implements ProbeEnd {
  readonly #done: (failure: string | null) => void;
  readonly #socket: Socket;
  readonly #timer: NodeJS.Timeout;
  #over = false;

  constructor(target: ProbeTarget, check: HealthCheck, done: (failure: string | null) => void) {
    this.#done = done;
    const exchange = exchangeOf(check, target.server);
    const socket = (this.#socket = dial(target, { tls: target.tls, allowHalfOpen: false }));
    this.#timer = setTimeout(() => this.failed('timed out'), check.timeoutMs);
    socket.on('error', (error) => this.failed(messageOf(error)));
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
    this.#end(null);
  }

  failed(reason: string): void {
    this.#end(reason);
  }

  #send(bytes: Uint8Array | null): void {
    if (!this.#over && bytes !== null) this.#socket.write(bytes);
  }

  #end(failure: string | null): void {
    if (this.#over) return;
    this.cancel();
    this.#done(failure);
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
