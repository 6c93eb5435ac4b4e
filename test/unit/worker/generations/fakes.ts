/** A layer without sockets: its listeners and connections note what is asked of them. */
import type { Config } from '../../../../src/config/types/config.ts';
import { LiveSet, type LiveMember } from '../../../../src/core/collections/live-set.ts';
import { ThreadLock } from '../../../../src/core/thread-lock.ts';
import type { Environment } from '../../../../src/worker/environment.ts';
import { Generations } from '../../../../src/worker/generations/generations.ts';
import type { ConnectionGroup, Layer, ServedListener } from '../../../../src/worker/generations/layer.ts';
import type { Clock } from '../../../../src/worker/generations/until-empty.ts';
import type { LiveConnection } from '../../../../src/worker/live-connection.ts';

/** A listener's configuration. A listener fits any other of its name and address. */
export interface FakeConfig {
  readonly name: string;
  readonly address: string;
  readonly cluster: string;
}

export class FakeConnection implements LiveConnection, LiveMember {
  liveIndex = -1;
  endpoint: { removed: boolean; label: string } | null = null;
  readonly context: FakeContext;
  readonly asked: string[] = [];

  constructor(context: FakeContext, endpoint: string | null = null) {
    this.context = context;
    if (endpoint !== null) this.endpoint = { removed: false, label: endpoint };
    context.live.add(this);
  }

  isOf(cluster: string, endpoint: string): boolean {
    return this.context.cluster === cluster && this.endpoint?.label === endpoint;
  }

  drain = (): boolean => true;
  undrain = (): void => undefined;
  evict = (): boolean => true;
  end = (): void => undefined;

  abort(): void {
    this.asked.push('abort');
    this.close();
  }

  close(): void {
    this.context.live.delete(this);
  }
}

export class FakeContext {
  readonly listener: string;
  readonly route = '';
  readonly cluster: string;
  readonly live = new LiveSet<FakeConnection>();
  readonly sessions = [];
  readonly tunnels = [];
  readonly handshakes = [];
  readonly pending = new Set<{ cancel(): void }>();
  hasTunnels = false;

  constructor({ name, cluster }: FakeConfig) {
    this.listener = name;
    this.cluster = cluster;
  }
}

export class FakeListener implements ServedListener<FakeListener, FakeConfig, Environment, FakeContext> {
  readonly previous: FakeListener | null;
  /** Calls of the listener, in order. */
  readonly asked: string[] = [];
  config: FakeConfig;
  context: FakeContext;
  requests = { open: 0 };
  listens = false;
  /** Whether connections arrived that may become tunnels. */
  hasArrivals = false;
  connections = 0;
  unanswered = 0;
  successor: FakeListener | null = null;
  readonly #problems: ReadonlyMap<string, string>;

  /** @param problems by address: why a listener cannot listen there */
  constructor(config: FakeConfig, previous: FakeListener | null, problems: ReadonlyMap<string, string>) {
    this.config = config;
    this.previous = previous;
    this.context = new FakeContext(config);
    this.#problems = problems;
  }

  fits({ address }: FakeConfig): boolean {
    return address === this.config.address;
  }

  prepare(config: FakeConfig): () => void {
    return () => {
      if (config.cluster !== this.config.cluster) this.context = new FakeContext(config);
      this.config = config;
      this.requests = { open: 0 };
      this.asked.push('use');
    };
  }

  listen(): Promise<void> {
    const problem = this.#problems.get(this.config.address);
    if (problem !== undefined) return Promise.reject(new Error(problem));
    this.listens = true;
    this.asked.push('listen');
    return Promise.resolve();
  }

  handOver(from: number | null): void {
    this.asked.push(`leave ${from}`);
  }

  stop(): void {
    if (this.listens) this.asked.push('stop');
    this.listens = false;
  }

  admit(admitted: boolean): void {
    this.asked.push(admitted ? 'admit' : 'refuse');
  }

  follow(successor: FakeListener): void {
    this.successor = successor;
  }

  close(): void {
    this.asked.push('close');
    this.connections = 0;
  }

  get mayGrow(): boolean {
    return this.listens || this.hasArrivals;
  }

  inherit({ config }: FakeListener): void {
    this.asked.push(`inherit ${config.address}`);
  }

  uses(context: FakeContext): boolean {
    return context === this.context;
  }

  get contexts(): readonly FakeContext[] {
    return [this.context];
  }

  covers({ cluster }: FakeContext): boolean {
    return cluster === this.config.cluster;
  }
}

export class FakeLayer implements Layer<FakeListener, FakeConfig, Environment, FakeContext, FakeConnection> {
  readonly kind = 'l7';
  readonly innerLoop = null;
  readonly nextTurn = (callback: () => void): void => void setImmediate(callback);
  /** Calls of the layer, in order. */
  readonly asked: string[] = [];
  readonly made: FakeListener[] = [];
  /** By address: why a listener cannot listen there. */
  readonly problems = new Map<string, string>();
  #held: { begin(): void; readonly released: Promise<undefined> } | null = null;

  configsOf({ config }: Environment): readonly FakeConfig[] {
    return config.listeners as unknown as FakeConfig[];
  }

  load(): Promise<void> {
    return Promise.resolve();
  }

  share(environment: Environment): Environment {
    return environment;
  }

  /** Holds the making of the next listener until it is released. */
  holdNext(): { readonly begun: Promise<undefined>; readonly release: () => void } {
    const begun = Promise.withResolvers<undefined>();
    const released = Promise.withResolvers<undefined>();
    this.#held = { begin: () => begun.resolve(undefined), released: released.promise };
    return { begun: begun.promise, release: () => released.resolve(undefined) };
  }

  async create(config: FakeConfig, _: Environment, previous: FakeListener | null): Promise<FakeListener> {
    const held = this.#held;
    this.#held = null;
    held?.begin();
    await held?.released;
    const listener = new FakeListener(config, previous, this.problems);
    this.made.push(listener);
    return listener;
  }

  closesAtEnd({ hasTunnels }: FakeContext): boolean {
    return !hasTunnels;
  }

  groupOf(context: FakeContext): ConnectionGroup<FakeConnection> {
    return context;
  }

  started(): void {
    this.asked.push('started');
  }

  committed({ generation }: Environment): void {
    this.asked.push(`committed ${generation}`);
  }

  aborting(): void {
    this.asked.push('aborting');
  }

  close(): void {
    this.asked.push('close');
  }
}

/** A clock that the test moves. */
export class FakeClock implements Clock {
  #now = 0;
  #waiting: { readonly at: number; readonly callback: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  delay(ms: number, callback: () => void): void {
    this.#waiting.push({ at: this.#now + ms, callback });
  }

  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#waiting.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#waiting = this.#waiting.filter((other) => other !== due);
      this.#now = due.at;
      due.callback();
    }
    this.#now = end;
  }
}

export const WORKERS = 3;

export function environmentOf(generation: number, listeners: readonly FakeConfig[]): Environment {
  const config = { listeners, workers: { l7: WORKERS } } as unknown as Config;
  return { generation, config } as unknown as Environment;
}

/** Generations of a fake layer, on a clock of the test's own. */
export class World {
  readonly layer: FakeLayer;
  readonly clock = new FakeClock();
  readonly generations: Generations<FakeListener, FakeConfig, Environment, FakeContext, FakeConnection>;
  #generation = 1;

  constructor(listeners: readonly FakeConfig[]) {
    this.layer = new FakeLayer();
    const lock = new ThreadLock(new SharedArrayBuffer(4));
    this.generations = new Generations(this.layer, environmentOf(1, listeners), lock, this.clock);
  }

  /** Starts a world whose listeners listen. */
  static async listening(listeners: readonly FakeConfig[]): Promise<World> {
    const world = new World(listeners);
    await world.generations.listen();
    return world;
  }

  /** Prepares and commits the next generation. Returns the connections that it has lost. */
  async change(listeners: readonly FakeConfig[]): Promise<readonly LiveConnection[]> {
    const change = await this.generations.prepare(environmentOf(++this.#generation, listeners));
    return change.commit();
  }

  /** Returns what is alive of older generations. */
  older(): { readonly connections: number; readonly oldest: number } {
    return this.generations.older(this.#generation);
  }
}
