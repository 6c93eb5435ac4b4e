import assert from 'node:assert/strict';
import { createServer, request, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterEach, describe, it } from 'node:test';
import { eventually, within } from '../../support/deadline.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { WsEndpoint, WsPeer } from '../../support/websocket/ws-peer.ts';

const POLL = '/socket.io/?EIO=4&transport=polling';
const WORKERS = 4;

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** Endpoints that answer requests with their name, and say it first on every WebSocket. */
async function named(...names: readonly string[]): Promise<WsEndpoint[]> {
  return Promise.all(
    names.map(async (name) => {
      const http = createServer((incoming, response) => {
        incoming.resume();
        response.end(name);
      });
      const endpoint = await WsEndpoint.listen({}, http);
      cleanups.push(() => {
        endpoint.close();
        http.closeAllConnections();
      });
      // It ends when the endpoint is closed.
      void greet(endpoint, name).catch(() => undefined);
      return endpoint;
    }),
  );
}

async function greet(endpoint: WsEndpoint, name: string): Promise<void> {
  for (;;) (await endpoint.sessions.next(2 ** 30)).socket.send(name);
}

async function start(endpoints: readonly WsEndpoint[], cluster: object): Promise<WebRig> {
  const rig = await WebRig.start({
    listeners: { web: {} },
    clusters: { app: { endpoints: endpoints.map(({ address }) => address), ...cluster } },
    workers: { l7: WORKERS },
    log: { access: false },
  });
  cleanups.push(() => rig.sluice.stop());
  return rig;
}

/** Makes a request on a new connection, so any worker may get it. */
async function ask(
  rig: WebRig,
  cookie: string | null,
  method = 'GET',
): Promise<{ name: string; setCookie: string | undefined }> {
  const { hostname: host, port } = new URL(`http://${rig.address('web')}`);
  const headers = cookie === null ? {} : { cookie: `theme=dark; ${cookie}; last=1` };
  const response = await within(
    'the response',
    new Promise<IncomingMessage>((settle, fail) => {
      const sent = request({ host, port, path: POLL, method, headers, agent: false }, settle);
      sent.once('error', fail);
      sent.end(method === 'POST' ? '40' : '');
    }),
  );
  return { name: await text(response), setCookie: response.headers['set-cookie']?.[0] };
}

async function greeting(rig: WebRig, cookie: string): Promise<string> {
  const client = await WsPeer.connect(`ws://${rig.address('web')}/socket.io/?EIO=4&transport=websocket`, {
    headers: { cookie },
  });
  const { data } = await client.messages.next();
  client.socket.terminate();
  return data.toString();
}

function valueOf(setCookie: string | undefined): string {
  const value = /^sluice=[\w-]{22}(?=;)/.exec(setCookie ?? '')?.[0];
  assert.ok(value !== undefined, setCookie);
  return value;
}

describe('a sticky cluster', { timeout: 300_000 }, () => {
  it('keeps the polling requests of a client and its WebSocket at one endpoint, in whichever worker', async () => {
    const rig = await start(await named('a', 'b', 'c'), { sticky: { cookie: 'sluice' } });
    const homes = new Set<string>();
    for (let client = 0; client < 12; client++) {
      const { name, setCookie } = await ask(rig, null);
      homes.add(name);
      assert.match(setCookie ?? '', /^sluice=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
      const cookie = valueOf(setCookie);
      for (let poll = 0; poll < 4; poll++) {
        const again = await ask(rig, cookie, poll % 2 === 0 ? 'GET' : 'POST');
        assert.deepEqual(again, { name, setCookie: undefined });
      }
      assert.equal(await greeting(rig, cookie), name);
    }
    assert.ok(homes.size >= 2, 'without a cookie clients are spread');
  });

  it('renews a cookie that expires with every answer', async () => {
    const rig = await start(await named('a', 'b'), { sticky: { cookie: 'sluice', ttl: '1h' } });
    const first = await ask(rig, null);
    assert.match(first.setCookie ?? '', /^sluice=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600$/);
    assert.deepEqual(await ask(rig, valueOf(first.setCookie)), first);
  });

  it('rejects a tampered cookie, and gives its client a valid one', async () => {
    const rig = await start(await named('a', 'b', 'c'), { sticky: { cookie: 'sluice' } });
    const { setCookie } = await ask(rig, null);
    const cookie = valueOf(setCookie);
    const last = cookie.at(-1) === 'A' ? 'Q' : 'A';
    const names = new Set<string>();
    for (const shown of [
      `${cookie.slice(0, -1)}${last}`,
      `${cookie}A`,
      'sluice=',
      'sluice=a',
      'sluice=__proto__',
    ]) {
      for (let count = 0; count < 6; count++) {
        const answer = await ask(rig, shown);
        names.add(answer.name);
        valueOf(answer.setCookie);
      }
    }
    assert.ok(names.size >= 2, 'they are spread like clients without a cookie');
  });

  it('is secure if the client uses TLS, towards us or a trusted proxy in front', async () => {
    const [endpoint] = await named('a');
    const rig = await WebRig.start({
      listeners: { behind: { trustedProxies: ['127.0.0.1'] }, open: {} },
      clusters: { app: { endpoints: [endpoint!.address], sticky: { cookie: 'sluice' } } },
    });
    cleanups.push(() => rig.sluice.stop());
    const attributesOf = async (listener: string, proto: string): Promise<string[]> => {
      const line = `X-Forwarded-Proto: ${proto}`;
      const handshake = await (await rig.ask({ listener, headers: [line] })).head();
      const plain = await RawConnection.connect(rig.address(listener));
      plain.write(`GET / HTTP/1.1\r\nHost: app.example\r\n${line}\r\nConnection: close\r\n\r\n`);
      const heads = [handshake, await plain.head()];
      return heads.map(({ headers }) => {
        const cookie = headers.find(([name]) => name.toLowerCase() === 'set-cookie')?.[1] ?? '';
        return cookie.slice(cookie.indexOf(';'));
      });
    };
    const lax = '; Path=/; HttpOnly; SameSite=Lax';
    assert.deepEqual(await attributesOf('behind', 'https'), [`${lax}; Secure`, `${lax}; Secure`]);
    assert.deepEqual(await attributesOf('behind', 'http'), [lax, lax]);
    assert.deepEqual(await attributesOf('open', 'https'), [lax, lax]);
  });

  it('moves clients while their endpoint is down, with a cookie for the new endpoint', async () => {
    const endpoints = await named('a', 'b');
    const rig = await start(endpoints, {
      sticky: { cookie: 'sluice' },
      healthCheck: { type: 'tcp', interval: '50ms', timeout: '20s', rise: 1, fall: 1 },
      panicThreshold: 0,
    });
    const { name, setCookie } = await ask(rig, null);
    const cookie = valueOf(setCookie);
    endpoints['ab'.indexOf(name)]!.close();
    const other = await eventually(async () => {
      const answer = await ask(rig, cookie);
      assert.notEqual(answer.name, name);
      assert.notEqual(answer.name, '');
      return answer;
    });
    assert.notEqual(valueOf(other.setCookie), cookie);
    assert.deepEqual(await ask(rig, valueOf(other.setCookie)), { name: other.name, setCookie: undefined });
  });
});
