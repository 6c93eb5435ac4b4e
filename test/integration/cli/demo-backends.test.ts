/** The applications of the demo, without a proxy in front of them. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { startBackends, type Backends } from '../../../src/cli/demo/backends.ts';
import type { Cluster, Endpoint } from '../../../src/config/types/cluster.ts';
import { StartError } from '../../../src/core/errors.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import type { WsClient } from '../../support/websocket/ws-client.ts';
import { WsClients } from '../../support/websocket/ws-clients.ts';
import { clusterConfig } from '../../unit/upstream/endpoints.ts';

const clients = new WsClients();
afterEach(() => clients.close());

function cluster(name: string, ports: readonly number[], changes: Partial<Cluster> = {}): Cluster {
  const endpoints = ports.map((port): Endpoint => ({
    address: { kind: 'tcp', host: '127.0.0.1', port },
    weight: 1,
    maxConnections: 0,
  }));
  return clusterConfig({ name, endpoints, ...changes });
}

describe('the echo app', () => {
  let backends: Backends;
  let port: number;

  before(async () => {
    [port] = (await freePorts(1)) as [number];
    backends = await startBackends({ demo: { echo: 'app', chat: null }, clusters: [cluster('app', [port])] });
  });
  after(() => backends.close());

  it('sends every message back unchanged, and nothing else, on any path', async () => {
    for (const path of ['/', '/wsapp', '/a/b?c=d']) {
      const client = await clients.open(port, [], path);
      const sent = [
        'text',
        '',
        'ü 👋',
        Buffer.from([0, 255, 128]),
        Buffer.alloc(0),
        Buffer.alloc(300_000, 7),
      ];
      for (const message of sent) client.send(message);
      for (const message of sent) {
        const { data, isBinary } = await client.next();
        assert.equal(isBinary, typeof message !== 'string');
        assert.ok(data.equals(Buffer.from(message)));
      }
      assert.equal(client.inbox.length, 0);
      assert.equal(client.headers['x-demo-endpoint'], `127.0.0.1:${port}`);
      assert.equal(client.headers['sec-websocket-extensions'], undefined);
    }
  });

  it('names its endpoint to a client of the sluice.demo subprotocol, then echoes', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, ['other', 'sluice.demo']);
    const messages: unknown[] = [];
    const done = new Promise<void>((settle, fail) => {
      socket.onerror = () => fail(new Error('the WebSocket failed'));
      socket.onopen = () => socket.send('hello');
      socket.onmessage = ({ data }) => {
        messages.push(data);
        if (messages.length === 2) socket.close(3001, 'bye');
      };
      socket.onclose = ({ code, reason }) => {
        messages.push({ code, reason });
        settle();
      };
    });
    await done;
    assert.equal(socket.protocol, 'sluice.demo');
    const [hello, ...rest] = messages;
    assert.deepEqual(JSON.parse(hello as string), { endpoint: `127.0.0.1:${port}` });
    assert.deepEqual(rest, ['hello', { code: 3001, reason: 'bye' }]);
  });

  it('selects the first of other subprotocols, and sends nothing but echoes', async () => {
    const client = await clients.open(port, ['chat.v2', 'chat.v1']);
    assert.equal(client.socket.protocol, 'chat.v2');
    client.send('first');
    assert.equal((await client.next()).data.toString(), 'first');
  });

  it('returns every byte to a client that reads late', async () => {
    const client = await clients.open(port);
    client.socket.pause();
    const sent = Array.from({ length: 24 }, (_, index) => Buffer.alloc(1024 * 1024, index));
    for (const message of sent) client.send(message);
    client.socket.resume();
    for (const message of sent) assert.ok((await client.next()).data.equals(message));
  });

  it('closes with 1009 after a message of more than 16 MiB', async () => {
    const client = await clients.open(port);
    client.send(Buffer.alloc(16 * 1024 * 1024));
    assert.equal((await client.next()).data.length, 16 * 1024 * 1024);
    client.send(Buffer.alloc(16 * 1024 * 1024 + 1));
    assert.equal((await client.closed()).code, 1009);
  });

  it('describes itself in response to a plain HTTP request', async () => {
    const got = await http(port, 'GET', {});
    assert.equal(got.status, 200);
    assert.match(got.body, new RegExp(`echo app, endpoint 127\\.0\\.0\\.1:${port}`));
    assert.equal((await http(port, 'POST', {})).status, 405);
    assert.equal((await http(port, 'GET', { connection: 'upgrade', upgrade: 'h2c' })).status, 400);
  });

  it('survives clients that send garbage or disappear', async () => {
    const handshake =
      'GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n';
    for (const bytes of ['nonsense\r\n\r\n', `${handshake}\xff\xff\xff\xff`, handshake]) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(Buffer.from(bytes, 'latin1'));
      await once(socket, 'data');
      socket.resetAndDestroy();
      await once(socket, 'close');
    }
    const client = await clients.open(port);
    client.send('alive');
    assert.equal((await client.next()).data.toString(), 'alive');
  });
});

describe('the chat room', () => {
  let backends: Backends;
  let ports: number[];

  const start = async (): Promise<void> => {
    ports = await freePorts(3);
    backends = await startBackends({
      demo: { echo: null, chat: 'room' },
      clusters: [cluster('room', ports)],
    });
  };
  const join = async (index: number, name: string): Promise<WsClient> => {
    const client = await clients.open(ports[index]!, [], '/chat');
    client.sendJson({ type: 'hello', name });
    await client.nextJson('joined');
    return client;
  };

  before(start);
  after(() => backends.close());

  it('is shared by all of its endpoints', async () => {
    const ada = await clients.open(ports[0]!);
    const welcome = await ada.nextJson();
    const { by } = welcome;
    assert.deepEqual(welcome, {
      type: 'welcome',
      by,
      name: `guest ${String(by)}`,
      endpoint: `127.0.0.1:${ports[0]!}`,
      present: 0,
    });
    ada.sendJson({ type: 'hello', name: 'Ada' });
    assert.equal((await ada.nextJson('joined')).present, 1);

    const bob = await join(1, 'Bob');
    assert.deepEqual(pick(await ada.nextJson('joined'), 'name', 'present'), { name: 'Bob', present: 2 });
    const eve = await join(2, 'Eve');
    bob.sendJson({ type: 'say', text: 'hi' });
    for (const client of [ada, bob, eve]) {
      const said = await client.nextJson('said');
      assert.deepEqual(pick(said, 'from', 'endpoint', 'text'), {
        from: 'Bob',
        endpoint: `127.0.0.1:${ports[1]!}`,
        text: 'hi',
      });
      assert.ok(Math.abs(Date.now() - Number(said.at)) < 60_000);
    }

    bob.sendJson({ type: 'hello', name: 'Robert' });
    const renamed = await ada.nextJson('renamed');
    assert.deepEqual(pick(renamed, 'from', 'name', 'present'), { from: 'Bob', name: 'Robert', present: 3 });
    bob.socket.terminate();
    assert.deepEqual(pick(await ada.nextJson('left'), 'name', 'present'), { name: 'Robert', present: 2 });
  });

  it('counts clients that speak before a hello as present, but not silent clients', async () => {
    const listener = await clients.open(ports[0]!);
    await listener.nextJson('welcome');
    const guest = await clients.open(ports[1]!);
    const { name } = await guest.nextJson('welcome');
    guest.sendJson({ type: 'say', text: 'anybody here?' });
    assert.deepEqual(pick(await listener.nextJson('joined'), 'name', 'present'), { name, present: 1 });
    assert.deepEqual(pick(await listener.nextJson('said'), 'from', 'text'), {
      from: name,
      text: 'anybody here?',
    });
  });

  it('reports an invalid message and stays open', async () => {
    const client = await join(0, 'Ada');
    const wrong: [string | Buffer, RegExp][] = [
      ['{"type":', /not JSON/],
      ['7', /JSON object/],
      ['null', /JSON object/],
      ['{"type":"toString"}', /hello or say/],
      ['{"type":"say","text":7}', /has a text/],
      ['{"type":"say","text":" \\u200b\\n "}', /empty/],
      ['{"type":"hello"}', /has a name/],
      [Buffer.from('{"type":"say","text":"hi"}'), /Messages are text/],
    ];
    for (const [message, answer] of wrong) {
      client.send(message);
      assert.match(String((await client.nextJson('error')).text), answer);
    }
    client.sendJson({ type: 'say', text: 'still here' });
    assert.equal((await client.nextJson('said')).text, 'still here');
  });

  it('closes with 1009 after a message of more than 4 KiB', async () => {
    const client = await join(0, 'Ada');
    client.sendJson({ type: 'say', text: 'x'.repeat(4096) });
    assert.equal((await client.closed()).code, 1009);
  });

  it('asks a client over the rate limit to slow down, once, and drops its further messages', async () => {
    const [loud, other] = [await join(0, 'Loud'), await join(1, 'Other')];
    // The hello counts as the first of the 20 messages.
    for (let n = 1; n <= 30; n++) loud.sendJson({ type: 'say', text: String(n) });
    assert.match(String((await loud.nextJson('notice')).text), /20 messages in 5 seconds/);
    other.sendJson({ type: 'say', text: 'the end' });
    const heard: unknown[] = [];
    while (heard.at(-1) !== 'the end') heard.push((await other.nextJson('said')).text);
    assert.deepEqual(heard.slice(-20), [...Array.from({ length: 19 }, (_, n) => String(n + 1)), 'the end']);
    assert.equal((await loud.nextJson()).text, 'the end', 'the client got a second notice');
  });

  it('closes a flooding client with 1008', async () => {
    const client = await join(0, 'Flood');
    for (let n = 0; n < 200; n++) client.sendJson({ type: 'say', text: 'x' });
    assert.deepEqual(await client.closed(), { code: 1008, reason: 'too many messages' });
  });

  it('replays the last 50 messages to a newcomer, in order', async () => {
    await backends.close();
    await start();
    const expected: string[] = [];
    for (let speaker = 0; speaker < 4; speaker++) {
      const client = await join(speaker % 3, `Speaker ${speaker}`);
      for (let n = 0; n < 15; n++) {
        expected.push(`${speaker}.${n}`);
        client.sendJson({ type: 'say', text: expected.at(-1)! });
      }
      while ((await client.nextJson('said')).text !== expected.at(-1));
    }
    const newcomer = await clients.open(ports[0]!);
    assert.equal((await newcomer.nextJson()).type, 'welcome');
    const replayed: unknown[] = [];
    const ids = new Set<unknown>();
    for (let n = 0; n < 50; n++) {
      const said = await newcomer.nextJson();
      assert.equal(said.type, 'said');
      replayed.push(said.text);
      ids.add(said.id);
    }
    assert.deepEqual(replayed, expected.slice(-50));
    assert.equal(ids.size, 50);
  });
});

describe('the start of the demo', () => {
  it('fails if an address is in use, names it, and leaves nothing running', async () => {
    const [free, taken] = (await freePorts(2)) as [number, number];
    const occupant = createServer().listen(taken, '127.0.0.1');
    await once(occupant, 'listening');
    const clusters = [cluster('app', [free, taken])];
    await assert.rejects(startBackends({ demo: { echo: 'app', chat: null }, clusters }), (error) => {
      assert.ok(error instanceof StartError);
      assert.match(
        error.message,
        new RegExp(`127\\.0\\.0\\.1:${taken} \\(cluster app\\): the address is in use`),
      );
      return true;
    });
    occupant.close();
    await once(occupant, 'close');
    const again = await startBackends({ demo: { echo: 'app', chat: null }, clusters });
    assert.equal(again.lines.length, 2);
    await again.close();
  });

  it('refuses a configuration that it cannot serve', async () => {
    const tls = { serverName: null, ca: null, verify: true, cert: null, key: null };
    const cases = [
      { demo: null, clusters: [], expected: /names no demo/ },
      { demo: { echo: null, chat: null }, clusters: [], expected: /names no demo/ },
      { demo: { echo: 'app', chat: null }, clusters: [], expected: /cluster app is not among/ },
      {
        demo: { echo: 'app', chat: null },
        clusters: [cluster('app', [1], { tls })],
        expected: /app has tls/,
      },
    ];
    for (const { expected, ...config } of cases) {
      await assert.rejects(startBackends(config), (error) => {
        assert.ok(error instanceof StartError);
        assert.match(error.message, expected);
        return true;
      });
    }
  });
});

function pick(message: Readonly<Record<string, unknown>>, ...keys: string[]): Record<string, unknown> {
  return Object.fromEntries(keys.map((key) => [key, message[key]]));
}

async function http(
  port: number,
  method: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number | undefined; body: string }> {
  const asked = request({ host: '127.0.0.1', port, method, headers, agent: false }).end();
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}
