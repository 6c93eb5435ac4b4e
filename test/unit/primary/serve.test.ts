import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { until } from './fixtures/config.ts';

const PROGRAM = join(import.meta.dirname, 'fixtures/serving-process.ts');

interface Line {
  readonly level: string;
  readonly msg: string;
  readonly listeners?: Readonly<Record<string, string>>;
  readonly admin?: string;
  readonly [field: string]: unknown;
}

class Served {
  readonly lines: Line[] = [];
  stderr = '';
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<unknown[]>;

  constructor(mode: string) {
    this.child = spawn(process.execPath, [PROGRAM], {
      env: { ...process.env, MODE: mode },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
      killSignal: 'SIGKILL',
    });
    let text = '';
    this.child.stdout.setEncoding('utf8').on('data', (more: string) => {
      const parts = (text + more).split('\n');
      text = parts.pop() ?? '';
      for (const part of parts) this.lines.push(JSON.parse(part) as Line);
    });
    this.child.stderr.setEncoding('utf8').on('data', (more: string) => (this.stderr += more));
    this.#ended = once(this.child, 'close');
  }

  async line(msg: string): Promise<Line> {
    const find = (): Line | undefined => this.lines.find((line) => line.msg === msg);
    await until(() => find() !== undefined || this.child.exitCode !== null, `it says ${msg}`);
    return find() ?? assert.fail(`it ended without saying ${msg}: ${this.stderr}`);
  }

  async dial(): Promise<Socket> {
    const { listeners } = await this.line('ready');
    const socket = connect(Number(listeners?.web?.split(':')[1]), '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'data');
    return socket;
  }

  async status(): Promise<unknown> {
    const [code, signal] = await this.#ended;
    return code ?? signal;
  }
}

describe('a serving process', { timeout: 300_000 }, () => {
  it('logs when it is ready, and its addresses', async () => {
    const served = new Served('');
    const { level, listeners, admin, generation, workers } = await served.line('ready');
    assert.equal(level, 'info');
    assert.deepEqual(Object.keys(listeners ?? {}), ['web', 'tcp']);
    for (const address of [...Object.values(listeners ?? {}), admin]) {
      assert.match(address ?? '', /^127\.0\.0\.1:[1-9]\d+$/);
    }
    assert.equal(generation, 1);
    assert.deepEqual(workers, ['l7-0', 'l7-1', 'l4-0']);
    const listening = (): number => served.lines.filter(({ msg }) => msg === 'worker listens').length;
    await until(() => listening() === 3, "the workers' own lines arrived");
    served.child.kill('SIGKILL');
    await served.status();
  });

  it('starts a successor on SIGUSR2, unless it ends, and stops it when it ends', async () => {
    const served = new Served('');
    await served.line('ready');
    served.child.kill('SIGUSR2');
    await served.line('successor starts');
    assert.ok(!served.lines.some(({ msg }) => msg === 'successor stops'));
    served.child.kill('SIGTERM');
    await served.line('draining');
    await served.line('successor stops');
    assert.equal(await served.status(), 0);
    const order = served.lines.map(({ msg }) => msg);
    assert.ok(order.indexOf('successor stops') < order.indexOf('stopped'), 'it is stopped before the drain');
    const ending = new Served('early');
    await ending.line('draining');
    ending.child.kill('SIGUSR2');
    await ending.line('no successor started: the process is not ready, or ends');
    ending.child.kill('SIGKILL');
    await ending.status();
  });

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends with status 0 after ${signal} and the end of its connections`, async () => {
      const served = new Served('');
      await served.line('ready');
      served.child.kill(signal);
      assert.equal(await served.status(), 0);
      assert.equal(served.stderr, '');
      const last = served.lines.findLast(({ msg }) => msg !== 'successor stops');
      assert.equal(last?.msg, 'stopped');
      assert.equal(served.lines.filter(({ msg }) => msg === 'worker ends').length, 3, 'no line is lost');
    });
  }

  for (const [signal, status] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    it(`ends at once with status ${status} on a second ${signal}`, async () => {
      const served = new Served('');
      const socket = await served.dial();
      served.child.kill('SIGTERM');
      await served.line('draining');
      assert.equal(socket.readyState, 'open');
      // Again and again: one that comes too soon after the first is taken for the same.
      const again = setInterval(() => served.child.kill(signal), 100);
      await served.line('ending at once');
      clearInterval(again);
      assert.equal(await served.status(), status);
      socket.destroy();
    });
  }

  it('ends at once on a second signal while the end is only announced', async () => {
    const served = new Served('early');
    await served.line('ready');
    served.child.kill('SIGINT');
    assert.equal(await served.status(), 130);
  });

  it('reports its start and end to a service manager, but no start after the end', async () => {
    const timely = new Served('');
    await timely.line('told ready');
    timely.child.kill('SIGTERM');
    assert.equal(await timely.status(), 0);
    const early = new Served('early');
    await early.line('ready');
    early.child.kill('SIGINT');
    assert.equal(await early.status(), 130);
    const told = [timely, early].map(({ lines }) =>
      lines.flatMap(({ msg }) => /^told (ready|stopping)$/.exec(msg)?.[1] ?? []),
    );
    assert.deepEqual(told, [['ready', 'stopping'], ['stopping']]);
  });

  it('counts two quick SIGINTs as one, because npm forwards one Ctrl-C', async () => {
    const served = new Served('twice');
    assert.equal(await served.status(), 0);
    assert.equal(served.lines.filter(({ msg }) => msg === 'draining').length, 1);
    assert.equal(served.lines.filter(({ msg }) => msg === 'ending at once').length, 0);
  });

  it('ends with status 1 if workers do not end in time, without aborting', async () => {
    const served = new Served('stubborn');
    await served.line('ready');
    served.child.kill('SIGTERM');
    assert.equal(await served.status(), 1);
    const { level, workers } = await served.line('workers did not end in time');
    assert.equal(level, 'error');
    assert.deepEqual(workers, ['l7-0', 'l7-1']);
  });

  for (const mode of ['exception', 'rejection']) {
    it(`ends cleanly with status 1 after an uncaught ${mode}`, async () => {
      const served = new Served(mode);
      assert.equal(await served.status(), 1);
      const { level, err } = await served.line('primary failed');
      assert.equal(level, 'fatal');
      assert.equal((err as Error).message, 'a bug');
      assert.equal(served.lines.filter(({ msg }) => msg === 'worker ends').length, 3);
      assert.equal(served.stderr, '');
    });
  }

  it('survives SIGHUP and SIGUSR1, and opens no inspector', async () => {
    const served = new Served('');
    await served.line('ready');
    served.child.kill('SIGHUP');
    served.child.kill('SIGUSR1');
    assert.equal((await served.line('configuration not reloaded: the old one stays')).level, 'error');
    await served.line('the log goes to standard output: no file to reopen');
    served.child.kill('SIGTERM');
    assert.equal(await served.status(), 0);
    assert.equal(served.stderr, '');
  });

  it('ends with status 1 if it cannot start', async () => {
    const served = new Served('refusing');
    assert.equal(await served.status(), 1);
    assert.equal(served.stderr, 'worker l4-0 did not start: no such certificate\n');
  });
});
