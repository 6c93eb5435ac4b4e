/** A worker that fails takes its own connections with it and nothing else. */
import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, afterEach, before, describe, it } from 'node:test';
import { WebSocketServer } from 'ws';
import type { Status, WorkerStatus } from '../../../src/protocol/admin/status.ts';
import { DEADLINE_MS, eventually, within } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { scrape } from '../../support/http/metrics.ts';
import { descriptors } from '../../support/processes/process-facts.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import type { SluiceProcess } from '../../support/processes/sluice-process.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';
import { parseExposition } from '../../unit/telemetry/exposition-parser.ts';

/** Listeners of layer 7 by their engines. */
const WEBS = ENGINES.map((engine) => [`web-${engine}`, engine] as const);
const WORKERS = ['l7-0', 'l7-1', 'l4-0', 'l4-1'] as const;
/** Between an echo and the next message. */
const PAUSE_MS = 10;
const AT_ONCE = 4;

/** A client that always has some numbered messages on their way and checks that all come back in order. */
class EchoClient {
  readonly worker: string;
  /** Messages that were echoed. */
  echoed = 0;
  readonly #peer: WsPeer;
  #sent = 0;
  #stopped = false;
  #disorder: string | null = null;
  #wake: () => void = () => undefined;

  constructor(peer: WsPeer, worker: string) {
    this.worker = worker;
    this.#peer = peer;
    peer.socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (text !== String(this.echoed)) this.#disorder ??= `${text} came in place of ${this.echoed}`;
      this.echoed++;
      this.#wake();
      setTimeout(() => this.#send(), PAUSE_MS);
    });
    for (let count = 0; count < AT_ONCE; count++) this.#send();
  }

  get isOpen(): boolean {
    return this.#peer.socket.readyState === this.#peer.socket.OPEN;
  }

  closed(): Promise<{ readonly code: number }> {
    return this.#peer.closed();
  }

  /** Waits for a number of further echoes. */
  async goesOn(count = 20): Promise<void> {
    await this.#until(this.echoed + count);
  }

  /** Sends no more, waits until every message is back, and closes. */
  async finish(): Promise<void> {
    this.#stopped = true;
    await this.#until(this.#sent);
    assert.equal(this.echoed, this.#sent);
    this.#peer.socket.close(1000);
    assert.equal((await this.closed()).code, 1000);
  }

  drop(): void {
    this.#peer.socket.terminate();
  }

  #send(): void {
    if (this.#stopped || !this.isOpen) return;
    this.#peer.socket.send(String(this.#sent++));
  }

  async #until(echoed: number): Promise<void> {
    const reached = new Promise<void>((settle, fail) => {
      this.#wake = () => {
        if (this.#disorder !== null) fail(new Error(this.#disorder));
        else if (this.echoed >= echoed) settle();
      };
      this.#wake();
    });
    const lost = this.#peer.closed(2 * DEADLINE_MS).then(({ code }) => {
      throw new Error(`a client of ${this.worker} was closed with ${code}`);
    });
    await within(`the echoes by ${this.worker}`, Promise.race([reached, lost]));
  }
}

describe('the supervision of workers', { timeout: 300_000 }, () => {
  let sluice: SluiceProcess;
  let endpoint: WebSocketServer;
  let clients: EchoClient[] = [];
  const faults = new Map<string, number>(WORKERS.map((worker) => [worker, 0]));

  before(async () => {
    endpoint = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    endpoint.on('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    await new Promise<void>((settle) => endpoint.once('listening', settle));
    const address = `127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
    sluice = await startSluice({
      config: {
        workers: { l7: 2, l4: 2 },
        admin: { address: '127.0.0.1:0' },
        listeners: [
          ...WEBS.map(([name, engine]) => ({
            name,
            mode: 'l7',
            engine,
            address: '127.0.0.1:0',
            routes: [{ match: { pathPrefix: '/' }, cluster: 'echo' }],
          })),
          { name: 'tcp', mode: 'l4', address: '127.0.0.1:0', cluster: 'echo' },
          { name: 'tcp-net', mode: 'l4', engine: 'net', address: '127.0.0.1:0', cluster: 'echo' },
        ],
        clusters: [{ name: 'echo', endpoints: [{ address }] }],
      },
      env: { SLUICE_FAULT_HOOKS: '1' },
    });
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.drop();
  });
  after(() => {
    sluice.kill('SIGKILL');
    for (const socket of endpoint.clients) socket.terminate();
    endpoint.close();
  });

  /** Opens one client. One at a time, so that the log shows the worker that accepted it. */
  async function open(listener: string): Promise<EchoClient> {
    const from = sluice.logs.length;
    const peer = await WsPeer.connect(`ws://${sluice.address(listener)}/`);
    const opened = listener.startsWith('web') ? 'session opened' : 'tunnel opened';
    const { worker } = await sluice.waitForLog(({ msg }) => msg === opened, DEADLINE_MS, from);
    const client = new EchoClient(peer, String(worker));
    clients.push(client);
    return client;
  }

  /** Opens clients until a worker, or each worker, has a number of them. The kernel chooses workers at random. */
  async function fill(count: number, workers: readonly string[]): Promise<void> {
    for (const worker of workers) {
      const has = (): number => clients.filter((client) => client.worker === worker && client.isOpen).length;
      for (let tries = 0; has() < count; tries++) {
        assert.ok(tries < 200, `none of ${tries} connections came to ${worker}`);
        const listeners = worker.startsWith('l7') ? WEBS.map(([name]) => name) : ['tcp', 'tcp-net'];
        await open(listeners[tries % listeners.length]!);
      }
    }
  }

  /** Takes the clients of a worker out of those that must live on. */
  function giveUp(worker: string): readonly EchoClient[] {
    const lost = clients.filter((client) => client.worker === worker);
    clients = clients.filter((client) => client.worker !== worker);
    return lost;
  }

  /** Ends every client, which must have lost nothing, and waits until no gauge counts one any more. */
  async function finish(): Promise<void> {
    await Promise.all(clients.splice(0).map((client) => client.finish()));
    await eventually(async () => {
      const metrics = await scrape(sluice);
      for (const gauge of [
        'sluice_connections_active',
        'sluice_ws_sessions_active',
        'sluice_tunnels_active',
        'sluice_endpoint_connections_active',
      ]) {
        assert.equal(metrics.sum(gauge), 0, gauge);
      }
    });
  }

  /** Makes a worker throw and waits until it is up again. */
  async function fault(worker: string): Promise<void> {
    const from = sluice.logs.length;
    faults.set(worker, faults.get(worker)! + 1);
    const { status } = await askAdmin(sluice.admin, `/debug/workers/${worker}/fault`, { method: 'POST' });
    assert.equal(status, 202);
    const failed = await sluice.waitForLog(
      (line) => line.msg === 'worker failed' && line.worker === worker,
      DEADLINE_MS,
      from,
    );
    assert.match(JSON.stringify(failed.err), /fault injected/);
    await sluice.waitForLog(
      (line) => line.msg === 'worker is up again' && line.worker === worker,
      DEADLINE_MS,
      from,
    );
  }

  async function statusOfWorkers(): Promise<readonly WorkerStatus[]> {
    const { body } = await askAdmin(sluice.admin, '/status');
    return (JSON.parse(body) as Status).workers;
  }

  /** Every series that must not go backwards. */
  async function counters(): Promise<ReadonlyMap<string, number>> {
    const { body } = await askAdmin(sluice.admin, '/metrics', { accept: 'text/plain' });
    const values = new Map<string, number>();
    for (const { type, samples } of parseExposition(body, 'text').values()) {
      if (type === 'gauge') continue;
      for (const { name, labels, value } of samples) values.set(`${name}${JSON.stringify(labels)}`, value);
    }
    return values;
  }

  async function assertNoneWentBackwards(before: ReadonlyMap<string, number>): Promise<void> {
    const now = await counters();
    for (const [series, value] of before) {
      const later = now.get(series) ?? -1;
      assert.ok(later >= value, `${series} went from ${value} to ${later}`);
    }
  }

  async function assertStatus(): Promise<void> {
    const metrics = await scrape(sluice);
    for (const { name, state, restarts } of await statusOfWorkers()) {
      assert.equal(state, 'up', name);
      assert.equal(restarts, faults.get(name), name);
      assert.equal(metrics.sum('sluice_worker_restarts_total', { worker: name }), restarts);
      assert.equal(metrics.sum('sluice_worker_up', { worker: name }), 1);
    }
    assert.equal((await askAdmin(sluice.admin, '/readyz')).status, 200);
  }

  for (const victim of ['l7-0', 'l4-0'] as const) {
    it(`ends the connections of ${victim} alone when it fails under load, and restarts it`, async () => {
      await fill(5, WORKERS);
      await Promise.all(clients.map((client) => client.goesOn()));
      const before = await counters();
      const lost = giveUp(victim);
      const others = [...clients];
      const failing = fault(victim);
      assert.deepEqual(
        (await Promise.all(lost.map((client) => client.closed()))).map(({ code }) => code),
        lost.map(() => 1006),
      );
      await Promise.all(others.map((client) => client.goesOn()));
      await assertNoneWentBackwards(before);
      await failing;
      await Promise.all(others.map((client) => client.goesOn()));
      assert.ok(others.every(({ isOpen }) => isOpen));
      await assertStatus();

      await fill(1, [victim]);
      await clients.at(-1)!.goesOn();
      await assertNoneWentBackwards(before);
      await finish();
    });
  }

  it('outlives ten faults in a row and leaves no descriptor behind', async () => {
    const { pid } = sluice;
    const before = { counters: await counters(), descriptors: descriptors(pid) };
    for (let count = 0; count < 10; count++) {
      const worker = WORKERS[count % WORKERS.length]!;
      await fill(1, [worker]);
      const lost = giveUp(worker);
      await fault(worker);
      await Promise.all(lost.map((client) => client.closed()));
      await Promise.all(clients.map((client) => client.goesOn(3)));
    }
    await assertStatus();
    await assertNoneWentBackwards(before.counters);
    await finish();
    await eventually(() => {
      const open = descriptors(pid);
      assert.ok(open <= before.descriptors, `${open} descriptors, ${before.descriptors} before`);
    });
  });

  it('ends cleanly with restarted workers', async () => {
    await fill(1, ['l7-0']);
    const [client] = clients.splice(0);
    const ended = sluice.stop('SIGTERM', 60_000);
    assert.equal((await client!.closed()).code, 1012);
    assert.deepEqual(await ended, { code: 0, signal: null });
  });
});
