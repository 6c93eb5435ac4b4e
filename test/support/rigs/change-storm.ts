/** Random changes of a configuration. Some objects stay the same, and their clients must not notice. */
import assert from 'node:assert/strict';
import { seeded } from '../random.ts';
import { CertificateAuthority, type IssuedCertificate } from '../certificates.ts';
import { eventually } from '../deadline.ts';
import { ENGINES, type EngineName } from '../engines.ts';
import { EchoProcess } from '../processes/load.ts';
import { descriptors, residentBytes } from '../processes/process-facts.ts';
import { Conversations } from '../websocket/conversations.ts';
import { ReloadRig } from './reload-rig.ts';

const local = '127.0.0.1:0';
const BALANCERS = ['round_robin', 'least_connections', 'random', 'p2c', 'source_ip', 'consistent_hash'];

export interface StormSizes {
  /** Engine of the listener whose sessions stay. */
  readonly engine: 'auto' | EngineName;
  readonly sessions: number;
  readonly tunnels: number;
  readonly reloads: number;
  readonly badReloads: number;
  /** How often each client speaks. */
  readonly periodMs: number;
  readonly seed: number;
}

export interface StormResult {
  readonly answers: number;
  readonly seconds: number;
  /** Resident bytes after half of the changes, and after all of them. */
  readonly memory: readonly [number, number];
  /** Descriptors with the base configuration before and after. */
  readonly descriptors: readonly [number, number];
  readonly generation: number;
  readonly slowestReloadMs: number;
}

export class ChangeStorm {
  readonly #sizes: StormSizes;
  readonly #random: () => number;
  readonly #authority = new CertificateAuthority();
  readonly #certificates: readonly IssuedCertificate[];
  readonly #echoes: readonly EchoProcess[];
  #rig: ReloadRig | null = null;
  #conversations: Conversations | null = null;

  private constructor(sizes: StormSizes, echoes: readonly EchoProcess[]) {
    this.#sizes = sizes;
    this.#random = seeded(sizes.seed);
    this.#echoes = echoes;
    this.#certificates = ['one', 'two', 'three'].map((name) =>
      this.#authority.issue(`${name}.example`, [`DNS:${name}.example`]),
    );
  }

  static async prepare(sizes: StormSizes): Promise<ChangeStorm> {
    return new ChangeStorm(sizes, [await EchoProcess.start(), await EchoProcess.start()]);
  }

  end(): void {
    this.#conversations?.end();
    this.#rig?.sluice.kill('SIGKILL');
    for (const echo of this.#echoes) echo.stop();
    this.#authority.remove();
  }

  /** Plays the storm; throws if a client notices anything, or if anything is left. */
  async run(): Promise<StormResult> {
    const { sessions, tunnels, reloads, badReloads, periodMs } = this.#sizes;
    const rig = (this.#rig = await ReloadRig.start(this.#config([], [], [])));
    const { pid } = rig.sluice;
    const conversations = (this.#conversations = new Conversations(periodMs));
    await conversations.open(`ws://${rig.sluice.address('web')}/kept`, sessions);
    await conversations.open(`ws://${rig.sluice.address('tcp')}/`, tunnels);
    // Once there and back, so that whatever is set up once has been.
    await rig.reload(this.#randomConfig(true));
    await rig.reload(this.#config([], [], []));
    await this.#assertNothingOld(rig);
    const open = descriptors(pid);

    const startedAt = performance.now();
    const answersBefore = conversations.answers;
    let memory = 0;
    let slowest = 0;
    for (let turn = 0; turn < reloads; turn++) {
      if (turn === Math.ceil(reloads / 2)) memory = residentBytes(pid);
      if (Math.floor((turn * badReloads) / reloads) < Math.floor(((turn + 1) * badReloads) / reloads)) {
        assert.match(await rig.reloadRefused(this.#badConfig()), /\S/);
      }
      const reloadAt = performance.now();
      await rig.reload(this.#randomConfig());
      slowest = Math.max(slowest, performance.now() - reloadAt);
    }
    await rig.reload(this.#config([], [], []));
    const seconds = (performance.now() - startedAt) / 1000;

    assert.deepEqual(await conversations.settle(), []);
    assert.equal(conversations.all.filter(({ isOpen }) => !isOpen).length, 0, 'a client was closed');
    await this.#assertNothingOld(rig);
    await eventually(() => {
      const now = descriptors(pid);
      assert.ok(now <= open, `${now} descriptors, ${open} before`);
    });
    const { generation, workers } = await rig.status();
    assert.equal(generation, reloads + 4);
    assert.ok(workers.every(({ restarts }) => restarts === 0));
    return {
      answers: conversations.answers - answersBefore,
      seconds,
      memory: [memory, residentBytes(pid)],
      descriptors: [open, descriptors(pid)],
      generation,
      slowestReloadMs: slowest,
    };
  }

  async #assertNothingOld(rig: ReloadRig): Promise<void> {
    await eventually(async () => {
      const { generation, workers } = await rig.status();
      for (const worker of workers) {
        assert.equal(worker.generation, generation, worker.name);
        assert.equal(worker.olderConnections, 0, worker.name);
      }
    });
  }

  #config(routes: readonly object[], listeners: readonly object[], clusters: readonly object[]): object {
    const [one, two] = this.#echoes;
    const chance = (): boolean => this.#random() < 0.5;
    const kept = { match: { path: '/kept' }, cluster: 'kept', name: 'kept' };
    const changed = routes.length + listeners.length + clusters.length > 0;
    return {
      workers: { l7: 2, l4: 1 },
      log: { access: false },
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          engine: this.#sizes.engine,
          address: local,
          routes: chance() ? [...routes, kept] : [kept, ...routes],
        },
        { name: 'tcp', mode: 'l4', address: local, cluster: 'kept' },
        ...listeners,
      ],
      clusters: [
        {
          name: 'kept',
          // The settings of the cluster change, and its endpoints stay.
          ...(changed && { balancer: this.#one(BALANCERS), retries: this.#upTo(5) }),
          endpoints: [
            { address: one!.address, weight: changed ? 1 + this.#upTo(9) : 1 },
            { address: two!.address, weight: changed ? 1 + this.#upTo(9) : 1 },
          ],
        },
        ...clusters,
      ],
    };
  }

  /** @param everything whether it has all that one may have */
  #randomConfig(everything = false): object {
    const clusters = Array.from({ length: 1 + this.#upTo(3) }, (_, index) => ({
      name: `cluster-${this.#upTo(6)}-${index}`,
      balancer: this.#one(BALANCERS),
      maxConnections: this.#upTo(100),
      connectTimeout: `${1 + this.#upTo(9)}s`,
      endpoints: Array.from({ length: 1 + this.#upTo(3) }, (_, port) => ({
        address: `127.0.0.1:${10_000 + 10 * this.#upTo(20) + port}`,
        weight: 1 + this.#upTo(5),
      })),
    }));
    const routes = Array.from({ length: this.#upTo(5) }, (_, index) =>
      this.#random() < 0.5
        ? { match: { path: `/r${this.#upTo(20)}` }, cluster: this.#one(clusters).name, name: `r-${index}` }
        : {
            match: { path: `/s${this.#upTo(20)}` },
            respond: { body: 'x' },
            name: `s-${this.#upTo(9)}-${index}`,
          },
    );
    const listeners: object[] = [];
    if (everything || this.#random() < 0.7) {
      listeners.push({
        name: 'tls',
        mode: 'l7',
        // uWebSockets.js keeps its descriptors from its first listener on.
        engine: everything ? 'uws' : this.#one(ENGINES),
        address: local,
        tls: { certificates: [this.#one(this.#certificates)] },
        websocket: { maxMessageSize: `${1 + this.#upTo(4)}MiB` },
        routes: [{ match: {}, cluster: this.#one(clusters).name }],
      });
    }
    if (everything || this.#random() < 0.5) {
      listeners.push({
        name: `plain-${this.#upTo(3)}`,
        mode: 'l7',
        engine: this.#one(ENGINES),
        address: local,
        routes: [{ match: {}, respond: { status: 204 } }],
      });
    }
    for (const engine of ['auto', 'net']) {
      if (!everything && this.#random() < 0.7) continue;
      listeners.push({
        name: `l4-${engine}-${this.#upTo(3)}`,
        mode: 'l4',
        engine,
        address: local,
        cluster: this.#one(clusters).name,
      });
    }
    return this.#config(routes, listeners, clusters);
  }

  #badConfig(): object | string {
    const good = this.#randomConfig() as { listeners: object[]; clusters: object[] };
    return this.#one<object | string>([
      'listeners: [',
      { ...good, clusters: [] },
      { ...good, nonsense: true },
      { ...good, listeners: [...good.listeners, good.listeners[0]] },
      // Found out only by those who are to listen there.
      {
        ...good,
        listeners: [
          ...good.listeners,
          { name: 'taken', mode: 'l4', address: this.#echoes[0]!.address, cluster: 'kept' },
        ],
      },
    ]);
  }

  /** A whole number from 0 up to and without this. */
  #upTo(most: number): number {
    return Math.floor(this.#random() * most);
  }

  #one<T>(choices: readonly T[]): T {
    return choices[this.#upTo(choices.length)]!;
  }
}
