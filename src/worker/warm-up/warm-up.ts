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
import { SecureVisit } from './secure-visit.ts';
import { Visit, visitRequest } from './visit.ts';

const HOST = '127.0.0.1';
/** Services of a warm-up: with a third one, little is compiled again for the first clients. */
const SERVICES = 3;
/** Handshakes under way at once. */
const CONCURRENCY = 8;
/** Handshakes that may fail before the warm-up gives up. */
const MAX_FAILURES = 20;
/** Max time that the last handshakes have to end. */
const LAST_MS = 200;

/**
 * Lets a new worker do handshakes with itself, so that V8 has compiled their code when the first clients come: after a restart
 * they come all at once.
 *
 * Services with environments of their own do them, on the loopback interface. So no metric, log line, limit or endpoint sees
 * them. There are several, one after the other: V8 compiles code for the objects that it has seen, and compiles it again for
 * the first of another kind. Whatever fails is skipped, and without system calls everything is: a worker serves as well cold.
 * On a busy machine one step may use up the time of all. Then no other step follows.
 *
 * @param create makes a service as the worker has it
 * @returns the number of handshakes that were complete
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

/** Makes a service and visits it. Returns the number of complete handshakes. */
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
    // Its addresses are its own: neither do other workers wait for it, nor it for them.
    const listenLock = new SharedArrayBuffer(start.listenLock.byteLength);
    service = create(environment, { ...start, listenLock });
    const { innerLoop } = service;
    if (templates.length === 0 || !(innerLoop instanceof EventLoop) || isOver(endsAt)) return 0;
    await service.listen();
    const targets = templates.map((template, index): Target => {
      const target = new SocketAddress({ ...address, port: ports[index]! });
      return { address: target, tls: warmsTls(template) ? new ClientContext(WARM_UP) : null };
    });
    return await new Visits(innerLoop, address, targets, path).run(endsAt);
  } catch {
    return 0;
  } finally {
    // Not inside a callback of the engine.
    await new Promise((settle) => setImmediate(settle));
    service?.abort();
  }
}

/** Finds free ports of the loopback interface. */
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

/** A listener that is visited. */
interface Target {
  readonly address: SocketAddress;
  /** Null without TLS. */
  readonly tls: ClientContext | null;
}

/** Visits one after the other until the time is over, some of them at once. */
class Visits {
  readonly #loop: EventLoop;
  readonly #targets: readonly Target[];
  readonly #request: Buffer;
  readonly #scratch = peerScratch();
  readonly #endpoint: EchoEndpoint;
  readonly #done = Promise.withResolvers<undefined>();
  readonly #open = new Set<Visit>();
  #endsAt = 0;
  #begun = 0;
  #complete = 0;
  #failed = 0;

  constructor(loop: EventLoop, endpoint: TcpAddress, targets: readonly Target[], path: string) {
    this.#loop = loop;
    this.#targets = targets;
    this.#request = visitRequest(path);
    this.#endpoint = new EchoEndpoint(loop, this.#scratch, endpoint, path);
  }

  async run(endsAt: number): Promise<number> {
    this.#endsAt = endsAt;
    try {
      this.#endpoint.listen();
      for (let count = 0; count < CONCURRENCY; count++) this.#next();
      const timeout = new AbortController();
      const late = delay(endsAt + LAST_MS - performance.now(), undefined, { signal: timeout.signal });
      await Promise.race([this.#done.promise, late.catch(() => undefined)]);
      timeout.abort();
    } finally {
      this.#close();
    }
    return this.#complete;
  }

  #close(): void {
    // No visit follows those that are closed here.
    this.#endsAt = 0;
    for (const visit of this.#open) visit.close();
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
    const common = [this.#loop, this.#scratch, this.#request, this.#over] as const;
    const visit = tls === null ? new Visit(...common) : new SecureVisit(...common, tls);
    this.#open.add(visit);
    visit.begin(address);
  }

  readonly #over = (visit: Visit): void => {
    this.#open.delete(visit);
    if (visit.isComplete) this.#complete++;
    else this.#failed++;
    this.#next();
  };
}
