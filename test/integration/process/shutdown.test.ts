/** How a sluice ends that is told to. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, afterEach, before, describe, it } from 'node:test';
import { codeOf } from '../../../src/core/errors.ts';
import { DEADLINE_MS, eventually, within } from '../../support/deadline.ts';
import { ENGINES } from '../../support/engines.ts';
import { askAdmin } from '../../support/http/admin-client.ts';
import { startSluice } from '../../support/processes/sluice-process.ts';
import type { SluiceProcess } from '../../support/processes/sluice-process.ts';
import { silentEndpoint } from '../../support/sockets/bad-endpoints.ts';
import type { BadEndpoint } from '../../support/sockets/bad-endpoints.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const GRACE_MS = 5000;
const LONG_MS = 120_000;
/** Two interrupts that come closer together are one. */
const SAME_CTRL_C_MS = 500;

describe('a sluice that is stopped', { timeout: 300_000 }, () => {
  let webSockets: WsEndpoint;
  let echo: TcpEndpoint;
  let silent: BadEndpoint;
  const started: SluiceProcess[] = [];
  const clients: TcpPeer[] = [];

  before(async () => {
    webSockets = await WsEndpoint.listen();
    echo = await TcpEndpoint.echo();
    silent = await silentEndpoint();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.destroy();
    for (const sluice of started.splice(0)) sluice.kill('SIGKILL');
  });
  after(() => {
    for (const endpoint of [webSockets, echo, silent]) endpoint.close();
  });

  async function start(graceMs: number): Promise<SluiceProcess> {
    const local = '127.0.0.1:0';
    const sluice = await startSluice({
      config: {
        workers: { l7: 2, l4: 1 },
        admin: { address: local },
        shutdown: { grace: `${graceMs}ms` },
        listeners: [
          ...ENGINES.map((engine) => ({
            name: `web-${engine}`,
            mode: 'l7',
            engine,
            address: local,
            routes: [{ match: { pathPrefix: '/' }, cluster: 'web-sockets' }],
          })),
          ...['auto', 'net'].flatMap((engine) => [
            { name: `tcp-${engine}`, mode: 'l4', engine, address: local, cluster: 'echo' },
            { name: `dialling-${engine}`, mode: 'l4', engine, address: local, cluster: 'silent' },
          ]),
        ],
        clusters: [
          { name: 'web-sockets', endpoints: [{ address: webSockets.address }] },
          { name: 'echo', endpoints: [{ address: echo.address }] },
          { name: 'silent', connectTimeout: '10m', endpoints: [{ address: silent.address }] },
        ],
      },
    });
    started.push(sluice);
    return sluice;
  }

  /** A client of a layer 4 listener. If there is an endpoint, bytes have already come back. */
  async function tunnel(sluice: SluiceProcess, listener = 'tcp-auto'): Promise<TcpPeer> {
    const client = await TcpPeer.connect(sluice.address(listener));
    clients.push(client);
    client.read();
    if (listener.startsWith('tcp')) {
      client.send('1');
      await client.receivesText('1');
    }
    return client;
  }

  const draining = (sluice: SluiceProcess): Promise<unknown> =>
    sluice.waitForLog(({ msg }) => msg === 'draining', DEADLINE_MS);

  function assertRefused(address: string): Promise<void> {
    return eventually(async () => {
      const refused = await TcpPeer.connect(address).then(
        (client) => client.destroy(),
        (error: unknown) => codeOf(error),
      );
      assert.equal(refused, 'ECONNREFUSED', address);
    });
  }

  it('closes WebSockets with 1012, keeps tunnels until the grace period ends, and exits with 0', async () => {
    const sluice = await start(GRACE_MS);
    const webs = ENGINES.map((engine) => `web-${engine}`);
    const urls = webs.map((name) => `ws://${sluice.address(name)}/`);
    const foreign = await Promise.all([...urls, ...urls].map((url) => WsPeer.connect(url)));
    const builtIn = new WebSocket(urls[0]!);
    const builtInClosed = new Promise<{ code: number; reason: string; wasClean: boolean }>((settle) => {
      builtIn.addEventListener('close', ({ code, reason, wasClean }) => settle({ code, reason, wasClean }));
    });
    await within('the open event', once(builtIn, 'open'));
    const sessions = await Promise.all(
      Array.from({ length: foreign.length + 1 }, () => webSockets.sessions.next()),
    );
    const active = [await tunnel(sluice, 'tcp-auto'), await tunnel(sluice, 'tcp-net')];
    const dialling = [await tunnel(sluice, 'dialling-auto'), await tunnel(sluice, 'dialling-net')];
    const addresses = [...webs, 'tcp-auto', 'tcp-net', 'dialling-auto', 'dialling-net'].map((listener) =>
      sluice.address(listener),
    );

    const told = performance.now();
    sluice.kill('SIGTERM');
    await draining(sluice);
    const restart = { code: 1012, reason: 'service restart' };
    for (const client of foreign) assert.deepEqual(await client.closed(), restart);
    assert.deepEqual(await within('the close', builtInClosed), { ...restart, wasClean: true });
    for (const session of sessions) assert.equal((await session.closed()).code, 1001);
    await Promise.all(addresses.map(assertRefused));
    const ready = await askAdmin(sluice.admin, '/readyz');
    assert.deepEqual([ready.status, ready.body], [503, 'draining\n']);
    assert.equal((await askAdmin(sluice.admin, '/livez')).status, 200);
    for (const client of active) client.send('2');
    await Promise.all(active.map((client) => client.receivesText('12')));
    assert.ok(dialling.every(({ isOpen }) => isOpen));

    await Promise.all([...active, ...dialling].map((client) => client.ended()));
    assert.ok(performance.now() - told >= GRACE_MS - 100, 'the grace was theirs');
    assert.deepEqual(await sluice.waitForExit(60_000), { code: 0, signal: null });
    const last = sluice.logs.at(-1)!;
    assert.deepEqual([last.msg, last.status], ['stopped', 0]);
    // The dial in progress was cancelled, and did not fail.
    assert.deepEqual(
      sluice.logs.filter(({ level }) => level === 'warn' || level === 'error'),
      [],
    );
    await Promise.all([...addresses, sluice.admin].map(assertRefused));
  });

  it('ends before the grace period is over if no connection is left', async () => {
    const sluice = await start(LONG_MS);
    const client = await tunnel(sluice);
    const ended = sluice.stop('SIGTERM', 60_000);
    await draining(sluice);
    client.end();
    await client.closed();
    assert.deepEqual(await ended, { code: 0, signal: null });
  });

  it('drains on SIGINT as on SIGTERM', async () => {
    const sluice = await start(LONG_MS);
    const clients = await Promise.all(
      ENGINES.map((engine) => WsPeer.connect(`ws://${sluice.address(`web-${engine}`)}/`)),
    );
    const sessions = await Promise.all(clients.map(() => webSockets.sessions.next()));
    const ended = sluice.stop('SIGINT', 60_000);
    for (const client of clients) {
      assert.deepEqual(await client.closed(), { code: 1012, reason: 'service restart' });
    }
    for (const session of sessions) assert.equal((await session.closed()).code, 1001);
    assert.deepEqual(await ended, { code: 0, signal: null });
  });

  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`ends at once on a second ${signal}`, async () => {
      const sluice = await start(LONG_MS);
      const client = await tunnel(sluice);
      sluice.kill(signal);
      await draining(sluice);
      assert.ok(client.isOpen);
      const again = setInterval(() => sluice.kill(signal), 2 * SAME_CTRL_C_MS);
      try {
        assert.deepEqual(await sluice.waitForExit(60_000), { code: status, signal: null });
      } finally {
        clearInterval(again);
      }
      await client.ended();
    });
  }
});
