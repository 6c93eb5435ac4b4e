/** `sluice demo` as a process: its output and its exit status. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { PROGRAM, ROOT } from '../../support/processes/program.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { WsClients } from '../../support/websocket/ws-clients.ts';

const clients = new WsClients();
afterEach(() => clients.close());

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
    it(`prints what runs where, and closes its clients with 1001 on ${signal}`, async () => {
      const demo = start('alone');
      await demo.printed;
      const sockets = await Promise.all(ports.map((port) => clients.open(port)));
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

  it('terminates a client that does not answer the close frame', async () => {
    const demo = start('alone');
    await demo.printed;
    const client = await clients.open(ports[0]!);
    client.socket.pause();
    demo.child.kill('SIGTERM');
    assert.deepEqual(await demo.exit, [0, null]);
    client.socket.resume();
  });

  it('tells its parent that it is ready, ignores SIGINT, and ends with its parent', async () => {
    const demo = start('forked');
    assert.deepEqual(await demo.report(), { type: 'ready' });
    demo.child.kill('SIGINT');
    const client = await clients.open(ports[0]!);
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

  it('reports an address in use to its parent, or on stderr if it was not forked', async () => {
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

/** `sluice demo` as a process, with an IPC channel if it is forked. */
class DemoCommand {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  /** Resolves at the first output on stdout. Rejects with the text of stderr if the process ends before. */
  readonly printed: Promise<void>;
  /** Resolves with the exit status and signal after all output was read. */
  readonly exit: Promise<unknown[]>;

  constructor(file: string, how: 'alone' | 'forked') {
    this.child = spawn(process.execPath, [PROGRAM, 'demo', '--config', file], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe', ...(how === 'forked' ? ['ipc' as const] : [])],
    });
    this.child.stdout!.on('data', (data: Buffer) => (this.stdout += data.toString()));
    this.child.stderr!.on('data', (data: Buffer) => (this.stderr += data.toString()));
    // 'close' does not fire if the parent has closed the IPC channel.
    const ended: Promise<unknown[]>[] = [
      once(this.child, 'exit'),
      once(this.child.stdout!, 'end'),
      once(this.child.stderr!, 'end'),
    ];
    this.exit = Promise.all(ended).then(([exit]) => exit!);
    this.printed = this.#before(once(this.child.stdout!, 'data')).then(() => undefined);
    this.printed.catch(() => undefined);
  }

  /** Returns the report from its IPC channel. Call it at once. */
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
