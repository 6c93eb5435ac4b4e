import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';
import type { Cluster, Endpoint } from '../../../src/config/types/cluster.ts';
import { StartError } from '../../../src/core/errors.ts';
import { startBackends } from '../../../src/cli/demo/backends.ts';
import type { Backends } from '../../../src/cli/demo/backends.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { WsClient } from '../../support/websocket/ws-client.ts';
import { clusterConfig } from '../../unit/upstream/endpoints.ts';

const clients: WsClient[] = [];

async function open(port: number, protocols: readonly string[] = [], path = '/'): Promise<WsClient> {
  const client = await WsClient.connect(`ws://127.0.0.1:${port}${path}`, protocols);
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients) client.socket.close();
  await Promise.all(clients.splice(0).map((client) => client.closed()));
});

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

  it('sends nothing of its own and every message back as it came, on any path', async () => {
    for (const path of ['/', '/wsapp', '/a/b?c=d']) {
      const client = await open(port, [], path);
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

  it('says which endpoint it is to a client of its subprotocol, then echoes', async () => {
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

  it('takes the first of other subprotocols and stays a pure echo', async () => {
    const client = await open(port, ['chat.v2', 'chat.v1']);
    assert.equal(client.socket.protocol, 'chat.v2');
    client.send('first');
    assert.equal((await client.next()).data.toString(), 'first');
  });

  it('gives back all that was sent by a client that reads late', async () => {
    const client = await open(port);
    client.socket.pause();
    const sent = Array.from({ length: 24 }, (_, index) => Buffer.alloc(1024 * 1024, index));
    for (const message of sent) client.send(message);
    client.socket.resume();
    for (const message of sent) assert.ok((await client.next()).data.equals(message));
  });

  it('closes a message of more than 16 MiB with 1009', async () => {
    const client = await open(port);
    client.send(Buffer.alloc(16 * 1024 * 1024));
    assert.equal((await client.next()).data.length, 16 * 1024 * 1024);
    client.send(Buffer.alloc(16 * 1024 * 1024 + 1));
    assert.equal((await client.closed()).code, 1009);
  });

  it('answers plain HTTP with what it is', async () => {
    const got = await http(port, 'GET', {});
    assert.equal(got.status, 200);
    assert.match(got.body, new RegExp(`echo app, endpoint 127\\.0\\.0\\.1:${port}`));
    assert.equal((await http(port, 'POST', {})).status, 405);
    assert.equal((await http(port, 'GET', { connection: 'upgrade', upgrade: 'h2c' })).status, 400);
  });

  it('survives clients that speak nonsense or vanish', async () => {
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
    const client = await open(port);
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
    const client = await open(ports[index]!, [], '/chat');
    client.sendJson({ type: 'hello', name });
    await client.nextJson('joined');
    return client;
  };

  before(start);
  after(() => backends.close());

  it('is one room over all of its endpoints', async () => {
    const ada = await open(ports[0]!);
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

  it('counts whoever says something before a hello as present, and nobody who only listens', async () => {
    const listener = await open(ports[0]!);
    await listener.nextJson('welcome');
    const guest = await open(ports[1]!);
    const { name } = await guest.nextJson('welcome');
    guest.sendJson({ type: 'say', text: 'anybody here?' });
    assert.deepEqual(pick(await listener.nextJson('joined'), 'name', 'present'), { name, present: 1 });
    assert.deepEqual(pick(await listener.nextJson('said'), 'from', 'text'), {
      from: name,
      text: 'anybody here?',
    });
  });

  it('tells what is wrong with a message and stays open', async () => {
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

  it('closes a message of more than 4 KiB with 1009', async () => {
    const client = await join(0, 'Ada');
    client.sendJson({ type: 'say', text: 'x'.repeat(4096) });
    assert.equal((await client.closed()).code, 1009);
  });

  it('asks a client that says too much to slow down, once, and passes no more on', async () => {
    const [loud, other] = [await join(0, 'Loud'), await join(1, 'Other')];
    // The hello has been the first of the twenty.
    for (let n = 1; n <= 30; n++) loud.sendJson({ type: 'say', text: String(n) });
    assert.match(String((await loud.nextJson('notice')).text), /20 messages in 5 seconds/);
    other.sendJson({ type: 'say', text: 'the end' });
    const heard: unknown[] = [];
    while (heard.at(-1) !== 'the end') heard.push((await other.nextJson('said')).text);
    assert.deepEqual(heard.slice(-20), [...Array.from({ length: 19 }, (_, n) => String(n + 1)), 'the end']);
    assert.equal((await loud.nextJson()).text, 'the end', 'there is one notice only');
  });

  it('closes a client that floods with 1008', async () => {
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
    const newcomer = await open(ports[0]!);
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
  it('fails on a taken address, names it, and leaves nothing running', async () => {
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

describe('sluice demo', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-demo-'));
  const file = join(directory, 'sluice.yaml');
  const started: DemoCommand[] = [];
  let ports: number[];

  before(async () => {
    ports = await freePorts(3);
    const endpoints = ports.map((port) => ({ address: `127.0.0.1:${port}` }));
    const config = {
      demo: { echo: 'app', chat: 'room' },
      listeners: [{ name: 'tcp', mode: 'l4', address: '127.0.0.1:0', cluster: 'app' }],
      clusters: [
        { name: 'app', endpoints: endpoints.slice(0, 1) },
        { name: 'room', endpoints: endpoints.slice(1) },
      ],
    };
    writeFileSync(file, JSON.stringify(config));
  });
  afterEach(async () => {
    for (const { child } of started) child.kill('SIGKILL');
    await Promise.all(started.splice(0).map((demo) => demo.exit));
  });
  after(() => rmSync(directory, { recursive: true }));

  const start = (how: 'alone' | 'forked'): DemoCommand => {
    const demo = new DemoCommand(file, how);
    started.push(demo);
    return demo;
  };

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`says what runs where, and ends on ${signal} with 1001 for its clients`, async () => {
      const demo = start('alone');
      await demo.printed;
      const sockets = await Promise.all(ports.map((port) => open(port)));
      demo.child.kill(signal);
      for (const socket of sockets) {
        assert.deepEqual(await socket.closed(), { code: 1001, reason: 'demo is stopping' });
      }
      assert.deepEqual(await demo.exit, [0, null]);
      assert.equal(
        demo.stdout,
        `demo echo app on 127.0.0.1:${ports[0]!}, cluster app\n` +
          `demo chat room on 127.0.0.1:${ports[1]!}, cluster room\n` +
          `demo chat room on 127.0.0.1:${ports[2]!}, cluster room\n`,
      );
    });
  }

  it('cuts a client that does not answer the close frame', async () => {
    const demo = start('alone');
    await demo.printed;
    const client = await open(ports[0]!);
    client.socket.pause();
    demo.child.kill('SIGTERM');
    assert.deepEqual(await demo.exit, [0, null]);
    client.socket.resume();
  });

  it('reports to the process that forked it, ignores SIGINT and ends with it', async () => {
    const demo = start('forked');
    assert.deepEqual(await demo.report(), { type: 'ready' });
    demo.child.kill('SIGINT');
    const client = await open(ports[0]!);
    client.send('alive');
    assert.equal((await client.next()).data.toString(), 'alive');
    demo.child.disconnect();
    assert.deepEqual(await demo.exit, [0, null]);
    assert.equal((await client.closed()).code, 1001);
    assert.equal(demo.stdout, '');
  });

  it('ends on SIGTERM when forked', async () => {
    const demo = start('forked');
    assert.deepEqual(await demo.report(), { type: 'ready' });
    demo.child.kill('SIGTERM');
    assert.deepEqual(await demo.exit, [0, null]);
  });

  it('reports a taken address to the process that forked it, and complains of it on stderr otherwise', async () => {
    const occupant = createServer().listen(ports[2], '127.0.0.1');
    await once(occupant, 'listening');
    const expected = new RegExp(`127\\.0\\.0\\.1:${ports[2]!}.*in use`);

    const forked = start('forked');
    const { type, message } = await forked.report();
    assert.equal(type, 'failed');
    assert.match(String(message), expected);
    assert.deepEqual(await forked.exit, [1, null]);
    assert.equal(forked.stderr, '');

    const alone = start('alone');
    assert.deepEqual(await alone.exit, [1, null]);
    assert.match(alone.stderr, expected);

    occupant.close();
    await once(occupant, 'close');
  });
});

/** `sluice demo` in a process of its own, with an IPC channel where it is forked. */
class DemoCommand {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Resolves when it has written something to stdout; rejects with its stderr where it ends before. */
  readonly printed: Promise<void>;
  /** Its status and signal, when all of its output has been read. */
  readonly exit: Promise<unknown[]>;

  constructor(file: string, how: 'alone' | 'forked') {
    this.child = spawn(process.execPath, ['src/main.ts', 'demo', '--config', file], {
      cwd: resolve(import.meta.dirname, '../../..'),
      stdio: ['ignore', 'pipe', 'pipe', ...(how === 'forked' ? ['ipc' as const] : [])],
    });
    this.child.stdout!.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.child.stderr!.on('data', (data: Buffer) => (this.stderr += data.toString()));
    // Not 'close', which does not come where the parent has closed the IPC channel.
    const ended: Promise<unknown[]>[] = [
      once(this.child, 'exit'),
      once(this.child.stdout!, 'end'),
      once(this.child.stderr!, 'end'),
    ];
    this.exit = Promise.all(ended).then(([exit]) => exit!);
    this.printed = this.#before(once(this.child.stdout!, 'data')).then(() => undefined);
    this.printed.catch(() => undefined);
  }

  /** What it says over its IPC channel. Call it at once. */
  async report(): Promise<Readonly<Record<string, unknown>>> {
    const [message] = await this.#before(once(this.child, 'message'));
    return message as Readonly<Record<string, unknown>>;
  }

  #before(event: Promise<unknown[]>): Promise<unknown[]> {
    const ended = this.exit.then(() => {
      throw new Error(`sluice demo ended: ${this.stderr}`);
    });
    return Promise.race([event, ended]);
  }
}

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
