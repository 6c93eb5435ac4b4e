/** What clients of the admin server can take from others, and what they cannot. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { planDescriptors, type DescriptorPlan } from '../../../../src/core/descriptor-limit.ts';
import { AdminServer, type AdminView } from '../../../../src/primary/admin/admin-server.ts';
import { AdminStats } from '../../../../src/primary/admin/admin-stats.ts';
import { eventually, within } from '../../../support/deadline.ts';
import { capture, type LogLine } from '../fixtures/config.ts';

const local = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
/** Long enough that nothing is cut which a test does not mean. */
const PATIENT = { headMs: 60_000, requestMs: 60_000, answerMs: 60_000, keepAliveMs: 60_000, checkMs: 20 };
const MAX_CONNECTIONS = 128;
const MAX_PER_ADDRESS = 32;

class Rig {
  readonly stats = new AdminStats();
  readonly lines: readonly LogLine[];
  readonly #server: AdminServer;
  readonly #sockets: Socket[] = [];
  #port = 0;

  constructor(
    changes: Partial<AdminView>,
    timings: Partial<typeof PATIENT>,
    descriptorPlan: DescriptorPlan | null,
  ) {
    const view: AdminView = {
      metrics: () => Promise.resolve({ contentType: 'text/plain', body: 'a 1\n' }),
      notReady: () => null,
      status: () => ({ version: '1.2.3' }),
      commands: [],
      token: null,
      hosts: [],
      harm: null,
      notLive: () => null,
      ...changes,
    };
    const { log, lines } = capture();
    this.lines = lines;
    this.#server = new AdminServer(view, this.stats, log, {
      timings: { ...PATIENT, ...timings },
      descriptorPlan,
    });
  }

  async listen(): Promise<void> {
    this.#port = (await this.#server.listen(local)).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await this.#server.close();
  }

  /** Connects from an address of the loopback network; the server has accepted when it returns. */
  async dial(localAddress = '127.0.0.1'): Promise<Client> {
    const before = this.stats.connections;
    const socket = connect({ host: '127.0.0.1', port: this.#port, localAddress });
    this.#sockets.push(socket);
    const client = new Client(socket);
    await within('the connection', once(socket, 'connect'));
    // A full server has as many connections afterwards as before.
    if (before < MAX_PER_ADDRESS) await eventually(() => assert.ok(this.stats.connections > before));
    return client;
  }

  dialMany(count: number, localAddress?: string): Promise<Client[]> {
    return Promise.all(
      Array.from({ length: count }, async () => {
        const socket = connect({ host: '127.0.0.1', port: this.#port, localAddress });
        this.#sockets.push(socket);
        const client = new Client(socket);
        await within('the connection', once(socket, 'connect'));
        return client;
      }),
    );
  }

  /** Asks on a connection of its own; returns status and body. */
  ask(path: string, localAddress = '127.0.0.1', headers = {}): Promise<readonly [number, string]> {
    const options = { host: '127.0.0.1', port: this.#port, path, agent: false, localAddress, headers };
    const answer = new Promise<readonly [number, string]>((settle, fail) => {
      const asking = request(options, (response) => {
        let body = '';
        response.setEncoding('latin1').on('data', (text: string) => (body += text));
        response.once('end', () => settle([response.statusCode ?? 0, body]));
        response.once('error', fail);
      });
      asking.once('error', fail);
      asking.end();
    });
    return within(`the answer of ${path}`, answer);
  }

  count(metric: string, reason: string): number {
    const family = this.stats.families.find(({ metric: { name } }) => name === metric);
    return family!.read().find(({ labels }) => labels.reason === reason)!.value;
  }

  refused(reason: string): number {
    return this.count('sluice_admin_requests_refused_total', reason);
  }

  closed(reason: string): number {
    return this.count('sluice_admin_connections_closed_total', reason);
  }
}

class Client {
  readonly socket: Socket;
  received = '';
  isClosed = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.setEncoding('latin1').on('data', (text: string) => (this.received += text));
    socket.once('close', () => (this.isClosed = true));
  }

  async closes(): Promise<string> {
    await eventually(() => assert.ok(this.isClosed, 'it is still open'));
    return this.received;
  }
}

async function withRig(
  changes: Partial<AdminView>,
  timings: Partial<typeof PATIENT>,
  use: (rig: Rig) => Promise<void>,
  descriptorPlan: DescriptorPlan | null = null,
): Promise<void> {
  const rig = new Rig(changes, timings, descriptorPlan);
  await rig.listen();
  try {
    await use(rig);
  } finally {
    await rig.close();
  }
}

/** A page that is rendered when the test says so. */
function heldMetrics(): { view: Pick<AdminView, 'metrics'>; release: () => void; renderings: () => number } {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  let renderings = 0;
  const metrics = async (): Promise<{ contentType: string; body: string }> => {
    renderings++;
    await promise;
    return { contentType: 'text/plain', body: 'held 1\n' };
  };
  return { view: { metrics }, release: () => resolve(undefined), renderings: () => renderings };
}

const LIVEZ = 'GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n';
const METRICS = 'GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n';

describe('a flood of connections to the admin server', { timeout: 300_000 }, () => {
  it('closes the oldest idle ones of its own address, and keeps nobody out', async () => {
    await withRig({}, {}, async (rig) => {
      const other = await rig.dial('127.0.0.2');
      const first = await rig.dialMany(MAX_PER_ADDRESS);
      const later = await rig.dialMany(100);
      await eventually(() => assert.equal(rig.closed('address'), 100));
      for (const client of first) await client.closes();
      assert.equal(rig.stats.connections, MAX_PER_ADDRESS + 1);
      assert.ok(later.filter(({ isClosed }) => !isClosed).length <= MAX_PER_ADDRESS);
      assert.deepEqual(await rig.ask('/livez'), [200, 'ok\n']);
      other.socket.write(LIVEZ);
      await eventually(() => assert.match(other.received, /ok\n$/));
    });
  });

  it('from many addresses leaves room for a probe from another one', async () => {
    await withRig({}, {}, async (rig) => {
      const probe = await rig.dial('127.0.0.9');
      for (let last = 2; last <= 7; last++) await rig.dialMany(MAX_PER_ADDRESS, `127.0.0.${last}`);
      await eventually(() => assert.ok(rig.closed('full') >= 65));
      assert.ok(rig.stats.connections <= MAX_CONNECTIONS);
      probe.socket.write(LIVEZ);
      await eventually(() => assert.match(probe.received, /ok\n$/));
      for (const path of ['/livez', '/readyz', '/metrics', '/status']) {
        assert.equal((await rig.ask(path, '127.0.0.10'))[0], 200, path);
      }
    });
  });

  it('ends no request in progress', async () => {
    const held = heldMetrics();
    await withRig(held.view, {}, async (rig) => {
      const scraper = await rig.dial();
      scraper.socket.write(METRICS);
      await eventually(() => assert.equal(held.renderings(), 1));
      await rig.dialMany(100);
      for (let last = 2; last <= 6; last++) await rig.dialMany(40, `127.0.0.${last}`);
      await eventually(() => assert.ok(rig.closed('full') > 0));
      held.release();
      await eventually(() => assert.match(scraper.received, /held 1\n$/));
    });
  });

  it('that keeps every connection busy keeps no probe out, not even one from its own address', async () => {
    const held = heldMetrics();
    await withRig(held.view, {}, async (rig) => {
      for (let last = 2; last <= 5; last++) {
        for (const { socket } of await rig.dialMany(MAX_PER_ADDRESS, `127.0.0.${last}`))
          socket.write(METRICS);
      }
      await eventually(() => assert.equal(rig.stats.connections, MAX_CONNECTIONS));
      assert.deepEqual(await rig.ask('/livez', '127.0.0.9'), [200, 'ok\n']);
      assert.deepEqual(await rig.ask('/readyz', '127.0.0.2'), [200, 'ok\n']);
      held.release();
    });
  });

  it('that flood it under a small limit of descriptors leave half of the reserve', async () => {
    const held = heldMetrics();
    await withRig(
      held.view,
      {},
      async (rig) => {
        for (let last = 2; last <= 5; last++) {
          for (const { socket } of await rig.dialMany(12, `127.0.0.${last}`)) socket.write(METRICS);
        }
        await eventually(() => assert.equal(rig.closed('full'), 48 - 16));
        assert.equal(rig.stats.connections, 16);
        assert.deepEqual(await rig.ask('/livez', '127.0.0.9'), [200, 'ok\n']);
        held.release();
      },
      planDescriptors(256, 2),
    );
  });

  it('is told in a few lines', async () => {
    await withRig(
      {
        token: 'a-token-of-20-chars.',
        commands: [{ path: '/reload', run: () => ({ status: 202, body: '' }) }],
      },
      {},
      async (rig) => {
        await rig.dialMany(100);
        for (let attempt = 0; attempt < 100; attempt++) {
          const status = await rig.ask('/status', '127.0.0.2', { host: 'attacker.example' });
          assert.equal(status[0], 421);
        }
        assert.equal(rig.refused('host'), 100);
        await eventually(() => assert.ok(rig.closed('address') >= 68));
        assert.deepEqual(
          rig.lines.map(({ msg }) => msg),
          ['admin connection closed', 'admin request refused'],
        );
      },
    );
  });
});

describe('a slow client of the admin server', { timeout: 300_000 }, () => {
  it('loses a connection on which it asks nothing more', async () => {
    await withRig({}, { keepAliveMs: 100 }, async (rig) => {
      const client = await rig.dial();
      client.socket.write(LIVEZ);
      assert.match(await client.closes(), /^HTTP\/1\.1 200 [^]*ok\n$/);
    });
  });

  it('gets 408 for a head that does not end', async () => {
    await withRig({}, { headMs: 100 }, async (rig) => {
      for (const start of ['', 'G', 'GET /livez HTTP/1.1\r\nHost: localhost\r\nX-']) {
        const client = await rig.dial();
        client.socket.write(start);
        assert.match(await client.closes(), /^HTTP\/1\.1 408 /, start);
      }
      assert.equal(rig.refused('timeout'), 3);
    });
  });

  it('loses its connection for a body that does not end, answered or not', async () => {
    await withRig({}, { headMs: 100, requestMs: 200 }, async (rig) => {
      const client = await rig.dial();
      client.socket.write('POST /reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nx');
      assert.match(await client.closes(), /^HTTP\/1\.1 404 /);
      assert.equal(rig.refused('timeout'), 1);
    });
  });

  it('loses its connection where it does not take an answer', async () => {
    const body = `${'x'.repeat(1023)}\n`.repeat(32 * 1024);
    const metrics = (): Promise<{ contentType: string; body: string }> =>
      Promise.resolve({ contentType: 'text/plain', body });
    await withRig({ metrics }, { answerMs: 2000 }, async (rig) => {
      const client = await rig.dial();
      client.socket.pause();
      client.socket.write(METRICS);
      await eventually(() => assert.equal(rig.closed('slow_reader'), 1));
      await eventually(() => assert.equal(rig.stats.connections, 0));
      const [status, whole] = await rig.ask('/metrics');
      assert.deepEqual([status, whole.length], [200, body.length]);
    });
  });

  it('may wait for a command for longer than for anything else', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const token = 'a-token-of-20-chars.';
    const run = async (): Promise<{ status: 200; body: string }> => {
      await promise;
      return { status: 200, body: 'done' };
    };
    const quick = { headMs: 50, requestMs: 50, answerMs: 50, keepAliveMs: 50 };
    await withRig({ token, commands: [{ path: '/reload', run }] }, quick, async (rig) => {
      const client = await rig.dial();
      client.socket.write(
        `POST /reload HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Length: 0\r\n\r\n`,
      );
      const idle = await rig.dial();
      await idle.closes();
      assert.ok(!client.isClosed);
      resolve(undefined);
      await eventually(() => assert.match(client.received, /done\n$/));
    });
  });
});

describe('a client of the admin server that sends too much', { timeout: 300_000 }, () => {
  it('gets one answer for requests that it does not wait for, and has its connection closed', async () => {
    let asked = 0;
    await withRig({ status: () => ({ asked: ++asked }) }, {}, async (rig) => {
      const client = await rig.dial();
      client.socket.write('GET /status HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1000));
      const received = await client.closes();
      assert.equal(received.match(/HTTP\/1\.1 200 /g)?.length, 1);
      assert.equal(asked, 1);
      assert.equal(rig.closed('pipelining'), 1);
    });
  });

  it('gets 413 for a large body, and is cut where it does not say how large', async () => {
    await withRig({}, {}, async (rig) => {
      const told = await rig.dial();
      told.socket.write('POST /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10000000\r\n\r\n');
      assert.match(await told.closes(), /^HTTP\/1\.1 413 [^]*Connection: close/);
      const silent = await rig.dial();
      silent.socket.write('POST /livez HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n');
      silent.socket.write(`80000\r\n${'x'.repeat(0x80000)}\r\n`);
      await silent.closes();
      assert.equal(rig.refused('too_large'), 2);
      assert.deepEqual(await rig.ask('/livez'), [200, 'ok\n']);
    });
  });
});

describe('a foreign page at the admin server', { timeout: 300_000 }, () => {
  it('is refused by its Host or Origin, but for health and metrics', async () => {
    const hosts = ['sluice.internal'];
    await withRig({ hosts }, {}, async (rig) => {
      for (const host of ['localhost', '127.0.0.1', '[::1]:9090', 'Sluice.Internal:9090']) {
        assert.equal((await rig.ask('/status', undefined, { host }))[0], 200, host);
      }
      const [status, body] = await rig.ask('/status', undefined, { host: 'attacker.example' });
      assert.equal(status, 421);
      assert.match(body, /add the name to admin\.hosts\n$/);
      for (const path of ['/livez', '/readyz', '/metrics']) {
        assert.equal((await rig.ask(path, undefined, { host: 'sluice-admin.svc:9090' }))[0], 200, path);
      }
      for (const path of ['/status', '/metrics', '/reload', '/nothing']) {
        const headers = { host: 'localhost', origin: 'https://attacker.example' };
        assert.equal((await rig.ask(path, undefined, headers))[0], 403, path);
      }
      assert.equal((await rig.ask('/status', undefined, { host: 'a:1', origin: 'http://a:1' }))[0], 421);
      const own = { host: 'localhost:9090', origin: 'http://localhost:9090' };
      assert.equal((await rig.ask('/status', undefined, own))[0], 200);
      assert.deepEqual([rig.refused('host'), rig.refused('origin')], [2, 4]);
    });
  });

  it('needs one Host in HTTP/1.1, and none in HTTP/1.0', async () => {
    await withRig({}, {}, async (rig) => {
      for (const [head, expected] of [
        ['GET /livez HTTP/1.1\r\nConnection: close', 400],
        ['GET /livez HTTP/1.1\r\nConnection: close\r\nHost: a\r\nHost: b', 400],
        ['GET /status HTTP/1.0', 200],
        ['GET /status HTTP/1.0\r\nHost: attacker.example', 421],
        ['GET http://localhost/status HTTP/1.1\r\nConnection: close\r\nHost: attacker.example', 200],
        ['GET http://attacker.example/status HTTP/1.1\r\nConnection: close\r\nHost: localhost', 421],
      ] as const) {
        const client = await rig.dial();
        client.socket.write(`${head}\r\n\r\n`);
        const received = await client.closes();
        assert.equal(Number(received.split(' ')[1]), expected, head);
      }
      assert.equal(rig.refused('malformed'), 2);
    });
  });
});

describe('the metrics of the admin server', { timeout: 300_000 }, () => {
  it('are rendered once for all who ask within a second, and fail for all of them', async () => {
    let renderings = 0;
    const metrics = (format: string): Promise<{ contentType: string; body: string }> => {
      renderings++;
      if (format === 'openMetrics') return Promise.reject(new Error('broken'));
      return Promise.resolve({ contentType: 'text/plain', body: `a ${renderings}\n` });
    };
    await withRig({ metrics }, {}, async (rig) => {
      const begun = performance.now();
      const answers = await Promise.all(Array.from({ length: 20 }, () => rig.ask('/metrics')));
      const most = 1 + Math.floor((performance.now() - begun) / 1000);
      assert.ok(renderings <= most, `${renderings} renderings`);
      assert.ok(answers.every(([status]) => status === 200));
      const accept = { accept: 'application/openmetrics-text' };
      for (const [status] of await Promise.all([1, 2].map(() => rig.ask('/metrics', undefined, accept)))) {
        assert.equal(status, 500);
      }
      assert.equal(rig.lines.filter(({ msg }) => msg === 'admin request failed').length, 1);
    });
  });

  for (const header of ['no-cache', 'max-age=0', 'no-store, No-Cache']) {
    it(`are rendered after the request for who asks with Cache-Control: ${header}`, async () => {
      let value = 0;
      const metrics = (): Promise<{ contentType: string; body: string }> =>
        Promise.resolve({ contentType: 'text/plain', body: `a ${value}\n` });
      await withRig({ metrics }, {}, async (rig) => {
        await rig.ask('/metrics');
        value = 1;
        assert.deepEqual(await rig.ask('/metrics', undefined, { 'cache-control': header }), [200, 'a 1\n']);
      });
    });
  }

  it('are compressed when asked, in length and body alike', async () => {
    const body = 'a_total 1\n'.repeat(1000);
    const metrics = (): Promise<{ contentType: string; body: string }> =>
      Promise.resolve({ contentType: 'text/plain', body });
    await withRig({ metrics }, {}, async (rig) => {
      const zipped = { 'accept-encoding': 'gzip;q=0.9' };
      const [, compressed] = await rig.ask('/metrics', undefined, zipped);
      assert.equal(gunzipSync(Buffer.from(compressed, 'latin1')).toString(), body);
      assert.equal((await rig.ask('/metrics'))[1], body);
      const client = await rig.dial();
      client.socket.write(
        'HEAD /metrics HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n',
      );
      const head = await client.closes();
      assert.match(head, /Content-Encoding: gzip\r\n/);
      assert.match(head, /Vary: Accept, Accept-Encoding\r\n/);
      assert.match(head, new RegExp(`Content-Length: ${compressed.length}\r\n`));
      assert.ok(head.endsWith('\r\n\r\n'));
    });
  });
});
