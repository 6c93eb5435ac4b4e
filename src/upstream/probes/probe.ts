import type { Socket } from 'node:net';
import type { HealthCheck } from '../../config/types/cluster.ts';
import type { Address } from '../../core/address.ts';
import { ownShortageOf } from '../../core/shortage.ts';
import { dial, dialErrorOf } from '../dialling/dial.ts';
import type { UpstreamTls } from '../upstream-tls.ts';
import { HttpCheck } from './http-check.ts';
import type { ProbeCheck, ProbeEnd } from './probe-check.ts';
import { WebSocketCheck } from './websocket-check.ts';

/** The endpoint to probe. */
export interface ProbeTarget {
  readonly label: string;
  readonly server: Address;
  readonly addresses: readonly Address[];
  readonly tls: UpstreamTls | null;
  /** Bytes that precede all others, including TLS. Null for none. */
  readonly preface: Buffer | null;
}

/**
 * Result of one probe. `unmade`: the proxy could not probe, so nothing is known about the endpoint. `ms`:
 * duration as measured by the kernel, if known.
 */
export type ProbeResult =
  | { readonly verdict: 'passed'; readonly ms?: number }
  /** A reason of a few words. */
  | { readonly verdict: 'failed' | 'unmade'; readonly reason: string };

/**
 * A timeout that fires later than this means that the thread was blocked: the response may be waiting in the
 * socket.
 */
export const MAX_LATENESS_MS = 1000;

/** Passes if the endpoint accepts a connection and, in a cluster with TLS, completes the TLS handshake. */
const TCP_CHECK: ProbeCheck = {
  connected(probe) {
    probe.passed();
    return null;
  },
  received: () => null,
};

/**
 * Probes an endpoint once, on a new connection.
 *
 * @param done called once, after this function has returned
 * @param open dials the endpoint
 * @returns cancels the probe: `done` will not be called
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
    settings: HealthCheck,
    done: (result: ProbeResult) => void,
    open: typeof dial,
  ) {
    this.#done = done;
    const check = checkOf(settings, target.server);
    const { tls, preface } = target;
    const socket = (this.#socket = open(target, { tls, preface, allowHalfOpen: false }));
    const dueAt = performance.now() + settings.timeoutMs;
    this.#timer = setTimeout(() => {
      if (performance.now() - dueAt > MAX_LATENESS_MS) this.#unmade('the proxy was delayed');
      else this.failed('timed out');
    }, settings.timeoutMs);
    socket.on('error', (error) => {
      const reason = dialErrorOf(error).message;
      if (ownShortageOf(error) === null) this.failed(reason);
      else this.#unmade(reason);
    });
    socket.on('close', () => this.failed('closed the connection'));
    socket.once(tls === null ? 'connect' : 'secureConnect', () => this.#send(check.connected(this)));
    socket.on('data', (bytes: Buffer) => this.#send(check.received(bytes, this)));
  }

  readonly cancel = (): void => {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#socket.destroy();
  };

  passed(farewell: Uint8Array | null = null): void {
    if (farewell !== null) this.#send(farewell);
    this.#end({ verdict: 'passed' });
  }

  failed(reason: string): void {
    this.#end({ verdict: 'failed', reason });
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

function checkOf(check: HealthCheck, server: Address): ProbeCheck {
  switch (check.type) {
    case 'tcp':
      return TCP_CHECK;
    case 'http':
      return new HttpCheck(check, server);
    case 'websocket':
      return new WebSocketCheck(check, server);
  }
}
