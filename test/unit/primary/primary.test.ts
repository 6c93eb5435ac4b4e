import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { formatAddress } from '../../../src/core/address.ts';
import type { PrimaryOptions } from '../../../src/primary/build.ts';
import { Primary } from '../../../src/primary/primary.ts';
import type { Started } from '../../../src/primary/running.ts';
import { parseExposition } from '../telemetry/exposition-parser.ts';
import { capture, config, timings, until, workers } from './fixtures/config.ts';

function options(changes: Partial<PrimaryOptions> = {}): PrimaryOptions {
  return {
    config,
    log: capture().log,
    output: {
      write: () => undefined,
      writeAccess: () => undefined,
      dropped: { log: 4, access: 0 },
      states: [{ log: 'log', file: null, dropped: 4, problem: null }],
      prepare: () => ({ commit: () => undefined, abort: () => undefined }),
    },
    faultHooks: false,
    workerFiles: workers('obedient'),
    timings,
    load: () =>
      Promise.resolve({
        config,
        warnings: [],
        clusterFiles: new Map(),
        blockLists: new Map(),
        givenValues: [],
        files: [],
      }),
    ...changes,
  };
}

async function get(started: Started, path: string, accept = ''): Promise<{ status: number; text: string }> {
  const headers = { accept, 'cache-control': 'no-cache' };
  const response = await fetch(`http://${formatAddress(started.admin)}${path}`, { headers });
  return { status: response.status, text: await response.text() };
}

async function dial({ config: { listeners } }: Started, name: string): Promise<Socket> {
  const { port, host } = listeners.find((listener) => listener.name === name)!.address;
  const socket = connect(port, host);
  socket.on('error', () => undefined);
  await once(socket, 'data');
  return socket;
}

/** Primaries to end after each test: the threads of one that a failed test leaves would keep the process alive. */
const left: Primary[] = [];

function createPrimary(changes: Partial<PrimaryOptions> = {}): Primary {
  const primary = new Primary(options(changes));
  left.push(primary);
  return primary;
}

describe('the primary', { timeout: 300_000 }, () => {
  afterEach(async () => {
    for (const primary of left.splice(0)) await primary.end(0);
  });

  it('starts, reports its status and metrics, and ends', async () => {
    const primary = createPrimary();
    const started = await primary.start();
    assert.deepEqual(started.workers, ['l7-0', 'l7-1', 'l4-0']);
    assert.equal(started.generation, 1);
    assert.equal((await get(started, '/readyz')).status, 200);
    const socket = await dial(started, 'web');

    const status = JSON.parse((await get(started, '/status')).text) as Record<string, unknown>;
    const { version, uptimeSeconds, ...rest } = status;
    assert.match(String(version), /^\d+\.\d+\.\d+/);
    assert.equal(typeof uptimeSeconds, 'number');
    const [web, tcp] = started.config.listeners.map(({ address }) => formatAddress(address));
    const worker = {
      state: 'up',
      restarts: 0,
      generation: 1,
      connections: 0,
      olderConnections: 0,
      eventLoopUtilization: 0,
    };
    const counts = { activeConnections: 0, connectFailures: 0, ejections: 0, lastProbe: null };
    const endpoint = { state: 'up', reason: '', priority: 0, ...counts };
    // When it was is the clock's affair.
    const times: string[] = [];
    const known = JSON.parse(JSON.stringify(rest), (key, value: unknown) => {
      if (key !== 'since' && key !== 'lastReloadSuccessAt') return value;
      times.push(String(value));
      return undefined;
    }) as unknown;
    assert.equal(times.length, 3);
    for (const time of times) assert.ok(Date.now() - Date.parse(time) < 60_000);
    assert.deepEqual(known, {
      node: process.versions.node,
      pid: process.pid,
      generation: 1,
      lastReloadSucceeded: true,
      needsRestart: [],
      state: 'ready',
      connections: 0,
      drains: [],
      workers: [
        { name: 'l7-0', kind: 'l7', ...worker },
        { name: 'l7-1', kind: 'l7', ...worker },
        { name: 'l4-0', kind: 'l4', ...worker },
      ],
      leftBehind: 0,
      taps: 0,
      logs: [{ log: 'log', file: null, dropped: 4, problem: null }],
      listeners: [
        {
          name: 'web',
          mode: 'l7',
          address: web,
          tls: false,
          engine: 'uws',
          engineReason: 'as configured',
          activeConnections: 1,
        },
        {
          name: 'tcp',
          mode: 'l4',
          address: tcp,
          tls: false,
          engine: 'net',
          engineReason: 'as configured',
          activeConnections: 0,
        },
      ],
      clusters: [
        {
          name: 'app',
          balancer: 'round_robin',
          panic: false,
          activeConnections: 0,
          maxConnections: 0,
          evictions: 0,
          endpoints: [
            { address: '127.0.0.1:9001', weight: 1, ...endpoint },
            { address: 'unix:/run/app', weight: 2, ...endpoint },
          ],
        },
      ],
    });

    for (const [format, accept, suffix] of [
      ['text', 'text/plain', '_total'],
      ['openmetrics', 'application/openmetrics-text', ''],
    ] as const) {
      const families = parseExposition((await get(started, '/metrics', accept)).text, format);
      const value = (family: string): number | undefined => families.get(family)?.samples[0]?.value;
      assert.equal(value(`sluice_connections${suffix}`), 1);
      assert.equal(value('sluice_connections_active'), 1);
      assert.equal(value('sluice_config_generation'), 1);
      assert.equal(value(`sluice_log_lines_dropped${suffix}`), 4);
      assert.deepEqual(
        families.get('sluice_worker_up')?.samples.map(({ labels, value }) => [labels.worker, value]),
        [
          ['l7-0', 1],
          ['l7-1', 1],
          ['l4-0', 1],
        ],
      );
      const build = families.get('sluice_build_info')!.samples[0]!;
      assert.equal(build.labels.version, version);
      assert.equal(build.labels.node, process.versions.node);
      assert.match(build.labels.uws ?? '', /^\d+\.\d+\.\d+/);
      assert.equal(build.labels.engine, 'net,uws');
    }
    socket.destroy();
    assert.equal(await primary.end(0), true);
    assert.deepEqual(primary.remainingWorkers(), []);
    await assert.rejects(get(started, '/livez'));
  });

  it("sets uWS's limit of request heads before any worker starts, unless it is already set", async () => {
    delete process.env.UWS_HTTP_MAX_HEADERS_SIZE;
    for (const size of ['16384', '9999']) {
      if (size === '9999') process.env.UWS_HTTP_MAX_HEADERS_SIZE = size;
      const primary = createPrimary();
      await primary.start();
      await primary.end(0);
      assert.equal(process.env.UWS_HTTP_MAX_HEADERS_SIZE, size);
    }
    delete process.env.UWS_HTTP_MAX_HEADERS_SIZE;
  });

  it('is ready while one of several workers is missing, but not without the only one of its kind', async () => {
    const slow = { ...timings, backoff: { firstMs: 2000, maxMs: 2000 } };
    const primary = createPrimary({ faultHooks: true, timings: slow });
    const started = await primary.start();
    const fault = async (worker: string): Promise<void> => {
      const url = `http://${formatAddress(started.admin)}/debug/workers/${worker}/fault`;
      assert.equal((await fetch(url, { method: 'POST' })).status, 202);
    };
    const isUp = async (): Promise<boolean> => {
      const status = JSON.parse((await get(started, '/status')).text) as {
        readonly workers: readonly { readonly name: string; readonly state: string }[];
      };
      return status.workers.find(({ name }) => name === 'l7-1')?.state === 'up';
    };
    await fault('l7-1');
    // Asked before and after: it may be back soon.
    await until(async () => {
      const before = await isUp();
      const { status } = await get(started, '/readyz');
      const after = await isUp();
      return !before && status === 200 && !after;
    }, 'it is ready without the worker');
    await fault('l4-0');
    let readiness = { status: 0, text: '' };
    await until(async () => {
      readiness = await get(started, '/readyz');
      return readiness.status === 503;
    }, 'no worker is there');
    assert.equal(readiness.text, 'no l4 worker is up\n');
    assert.equal((await get(started, '/livez')).status, 200);
    await until(async () => (await get(started, '/readyz')).status === 200, 'the worker is back');
    await until(isUp, 'the other is back');
    assert.equal(primary.unhealthy, null);
    const restarts = parseExposition((await get(started, '/metrics')).text, 'text').get(
      'sluice_worker_restarts_total',
    );
    assert.deepEqual(
      restarts?.samples.map(({ value }) => value),
      [0, 1, 1],
    );
    assert.equal(await primary.end(0), true);
    assert.deepEqual([primary.unhealthy, primary.leftBehind], [null, 0]);
  });

  it('has fault hooks only on request', async () => {
    const primary = createPrimary();
    const { admin } = await primary.start();
    const url = `http://${formatAddress(admin)}/debug/workers/l7-1/fault`;
    assert.equal((await fetch(url, { method: 'POST' })).status, 404);
    assert.equal(await primary.end(0), true);
  });

  it('is unready but alive as soon as it drains', async () => {
    const primary = createPrimary();
    const started = await primary.start();
    const socket = await dial(started, 'web');
    const drained = primary.end(60_000);
    assert.deepEqual(await get(started, '/readyz'), { status: 503, text: 'draining\n' });
    assert.equal((await get(started, '/livez')).status, 200);
    assert.equal((JSON.parse((await get(started, '/status')).text) as { state: string }).state, 'draining');
    assert.equal(primary.remainingWorkers().length > 0, true);
    const closed = once(socket, 'close');
    void primary.end(0);
    assert.equal(await drained, true);
    await closed;
  });

  it('serves its admin address during the start, and can be stopped then', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const admin = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const primary = createPrimary({
      config: { ...config, admin: { ...config.admin, address: admin } },
      workerFiles: workers('silent'),
    });
    const rejected = assert.rejects(primary.start(), /stopped before it was ready/);
    const started = { admin, config, generation: 1, workers: [] };
    await until(
      () =>
        get(started, '/livez').then(
          () => true,
          () => false,
        ),
      'it listens',
    );
    assert.deepEqual(await get(started, '/readyz'), { status: 503, text: 'starting\n' });
    assert.equal(await primary.end(0), true);
    await rejected;
  });

  it('can be stopped before its parts are built: it frees its addresses, and refuses reloads until then', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as AddressInfo;
    await new Promise((resolve) => probe.close(resolve));
    const address = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const web = { ...config.listeners[0]!, address };
    const primary = createPrimary({ config: { ...config, listeners: [web] } });
    const rejected = assert.rejects(primary.start(), /^StartError: stopped before it was ready$/);
    assert.deepEqual(await primary.reload('SIGHUP'), {
      generation: 1,
      problem: 'not while the proxy is starting',
      needsRestart: [],
    });
    const ended = primary.end(0);
    assert.deepEqual(primary.remainingWorkers(), []);
    await rejected;
    assert.equal(await ended, true);
    const other = createServer().listen(port, '127.0.0.1');
    await once(other, 'listening');
    other.close();
  });

  it('does not start if an address is taken, and holds no resources then', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const taken = { kind: 'tcp', host: '127.0.0.1', port } as const;
    const web = { ...config.listeners[0]!, address: taken };
    for (const [wanted, what] of [
      [{ ...config, listeners: [web] }, 'listener "web"'],
      [{ ...config, admin: { ...config.admin, address: taken } }, 'the admin server'],
    ] as const) {
      const primary = createPrimary({ config: wanted });
      await assert.rejects(
        primary.start(),
        new RegExp(`^StartError: ${what} cannot listen on 127\\.0\\.0\\.1:${port}: the address is in use`),
      );
      assert.equal(await primary.end(0), true);
    }
    other.close();
  });
});
