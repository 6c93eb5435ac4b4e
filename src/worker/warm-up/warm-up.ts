import { randomUUID } from 'node:crypto';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { TcpAddress } from '../../core/address.ts';
import { EventLoop } from '../../loop/event-loop.ts';
import type { WorkerStart } from '../../protocol/to-worker.ts';
import { SocketAddress } from '../../sys/sockets/socket-address.ts';
import { unsupportedReason } from '../../sys/support.ts';
import { ClientContext } from '../../sys/tls/client-stream.ts';
import type { Environment } from '../environment.ts';
import type { Service } from '../service.ts';
import { compileEarly } from './early-compilation.ts';
import { EchoEndpoint } from './echo-endpoint.ts';
import { peerScratch } from './loopback-peer.ts';
import { WARM_UP, syntheticConfig, templatesOf, warmsTls } from './synthetic-config.ts';
import { syntheticEnvironment } from './synthetic-environment.ts';
import { TlsWarmUpClient } from './tls-warm-up-client.ts';
import { WarmUpClient, warmUpRequest } from './warm-up-client.ts';

const HOST = '127.0.0.1';
/** Services of a warm-up. With a third one, V8 recompiles little for the first clients. */
const SERVICES = 3;
/** Max handshakes in progress at a time. */
const CONCURRENCY = 8;
/** Failed handshakes before the warm-up gives up. */
const MAX_FAILURES = 20;
/** Max time for the last handshakes to end. */
const FINISH_TIMEOUT_MS = 200;

/**
 * Lets a new worker do handshakes with itself, so that V8 has compiled the code before the first clients
 * arrive. After a restart they arrive all at once.
 *
 * The handshakes run on services with separate environments, on the loopback interface, so no metric, log
 * line, limit or endpoint sees them. Several services run in turn, because V8 compiles code for the objects
 * it has seen, and recompiles it for the first object of another kind.
 *
 * Failures are skipped. Without system calls the whole warm-up is skipped: a cold worker serves just as well.
 * On a busy machine one step may use up the time of all, and then no other step follows.
 *
 * @param create creates a service in the same way as the worker
 * @returns the number of complete handshakes
 */
export async function warmUp(
  start: WorkerStart,
  create: (environment: Environment, start: WorkerStart) => Service,
): Promise<number> {
  const { warmUpMs } = start.config.workers;
  if (warmUpMs === 0 || unsupportedReason() !== null) return 0;
  const begun = performance.now();
  return compileEarly(async () => {
    let complete = 0;
    for (let number = 1; number <= SERVICES; number++) {
      const endsAt = begun + (warmUpMs * number) / SERVICES;
      if (isOver(endsAt)) continue;
      complete += await visitService(start, create, endsAt);
    }
    return complete;
  });
}

function isOver(endsAt: number): boolean {
  return performance.now() >= endsAt;
}

/** Creates a service and runs clients against it. Returns the number of complete handshakes. */
async function visitService(
  start: WorkerStart,
  create: (environment: Environment, start: WorkerStart) => Service,
  endsAt: number,
): Promise<number> {
  const { config } = start;
  const templates = templatesOf(config);
  const path = `/${randomUUID()}`;
  let service: Service | null = null;
  try {
    const [port = 0, ...ports] = await freePorts(1 + templates.length);
    if (isOver(endsAt)) return 0;
    const address: TcpAddress = { kind: 'tcp', host: HOST, port };
    const environment = syntheticEnvironment(syntheticConfig(config, templates, ports, address, path));
    // A separate lock, because its addresses are separate, too: neither it nor other workers must wait for
    // each other.
    const listenLock = new SharedArrayBuffer(start.listenLock.byteLength);
    service = create(environment, { ...start, listenLock });
    const { innerLoop } = service;
    if (templates.length === 0 || !(innerLoop instanceof EventLoop) || isOver(endsAt)) return 0;
    await service.listen();
    const targets = templates.map((template, index): Target => {
      const target = new SocketAddress({ ...address, port: ports[index]! });
      return { address: target, tls: warmsTls(template) ? new ClientContext(WARM_UP) : null };
    });
    return await new WarmUpClients(innerLoop, address, targets, path).run(endsAt);
  } catch {
    return 0;
  } finally {
    // Not inside a callback of the engine.
    await new Promise((settle) => setImmediate(settle));
    service?.abort();
  }
}

/** Finds free ports on the loopback interface. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await new Promise<void>((settle, fail) => server.once('error', fail).listen(0, HOST, settle));
    ports.push((server.address() as AddressInfo).port);
  }
  await Promise.all(servers.map((server) => new Promise((settle) => server.close(settle))));
  return ports;
}

/** A listener to connect to. */
interface Target {
  readonly address: SocketAddress;
  /** Null without TLS. */
  readonly tls: ClientContext | null;
}

/** Runs clients until the time is over, several at a time. */
class WarmUpClients {
  readonly #loop: EventLoop;
  readonly #targets: readonly Target[];
  readonly #request: Buffer;
  readonly #scratch = peerScratch();
  readonly #endpoint: EchoEndpoint;
  readonly #done = Promise.withResolvers<undefined>();
  readonly #open = new Set<WarmUpClient>();
  #endsAt = 0;
  #begun = 0;
  #complete = 0;
  #failed = 0;

  constructor(loop: EventLoop, endpoint: TcpAddress, targets: readonly Target[], path: string) {
    this.#loop = loop;
    this.#targets = targets;
    this.#request = warmUpRequest(path);
    this.#endpoint = new EchoEndpoint(loop, this.#scratch, endpoint, path);
  }

  async run(endsAt: number): Promise<number> {
    this.#endsAt = endsAt;
    try {
      this.#endpoint.listen();
      for (let count = 0; count < CONCURRENCY; count++) this.#next();
      const timeout = new AbortController();
      const late = delay(endsAt + FINISH_TIMEOUT_MS - performance.now(), undefined, {
        signal: timeout.signal,
      });
      await Promise.race([this.#done.promise, late.catch(() => undefined)]);
      timeout.abort();
    } finally {
      this.#close();
    }
    return this.#complete;
  }

  #close(): void {
    // No new client follows those closed here.
    this.#endsAt = 0;
    for (const client of this.#open) client.close();
    this.#endpoint.close();
    for (const { tls } of this.#targets) tls?.close();
  }

  #next(): void {
    if (isOver(this.#endsAt) || this.#failed > MAX_FAILURES) {
      if (this.#open.size > 0) return;
      this.#done.resolve(undefined);
      this.#loop.yieldToNode();
      return;
    }
    const { address, tls } = this.#targets[this.#begun++ % this.#targets.length]!;
    const common = [this.#loop, this.#scratch, this.#request, this.#onClosed] as const;
    const client = tls === null ? new WarmUpClient(...common) : new TlsWarmUpClient(...common, tls);
    this.#open.add(client);
    client.begin(address);
  }

  readonly #onClosed = (client: WarmUpClient): void => {
    this.#open.delete(client);
    if (client.isComplete) this.#complete++;
    else this.#failed++;
    this.#next();
  };
}
