/** Log files of a real process: rotation by size and by SIGUSR1, a full disk, a takeover. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, it } from 'node:test';
import { DEADLINE_MS, eventually } from '../../support/deadline.ts';
import { PROGRAM } from '../../support/processes/program.ts';
import { startSluice, type LogLine, type SluiceProcess } from '../../support/processes/sluice-process.ts';

const TOKEN = 'a-token-for-tests-only';
/** The smallest size of a rotated file. */
const MAX_SIZE = 64 * 1024;

describe('log files', { timeout: 300_000 }, () => {
  let root = '';
  let directory = '';
  const started: SluiceProcess[] = [];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });

  before(() => {
    root = mkdtempSync(join(tmpdir(), 'sluice-files-'));
  });
  afterEach(() => {
    for (const sluice of started.splice(0)) sluice.kill('SIGKILL');
  });
  after(() => {
    agent.destroy();
    rmSync(root, { recursive: true });
  });

  const config = (log: object, web = '127.0.0.1:0', admin = '127.0.0.1:0'): object => ({
    workers: { l7: 2, l4: 1 },
    admin: { address: admin, token: TOKEN },
    log,
    listeners: [
      { name: 'web', mode: 'l7', address: web, routes: [{ match: {}, respond: { status: 200, body: 'x' } }] },
    ],
  });

  /** Starts with the log on standard output, where the test sees that it is ready, and moves it by a reload. */
  async function start(log: (file: string) => object): Promise<SluiceProcess> {
    directory = mkdtempSync(join(root, 'case-'));
    const sluice = await startSluice({ config: config({}) });
    started.push(sluice);
    await reload(sluice, log(join(directory, 'log')));
    return sluice;
  }

  async function reload(sluice: SluiceProcess, log: object): Promise<void> {
    sluice.writeConfig(config(log));
    const response = await fetch(`http://${sluice.admin}/reload`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    assert.equal(response.status, 200, await response.text());
  }

  function request(sluice: SluiceProcess, path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      get(`http://${sluice.address('web')}${path}`, { agent }, (response) => {
        response.resume().once('end', resolve);
      }).once('error', reject);
    });
  }

  async function requests(sluice: SluiceProcess, count: number): Promise<void> {
    let next = 0;
    const client = async (): Promise<void> => {
      for (let number = next++; number < count; number = next++) await request(sluice, `/${number}`);
    };
    await Promise.all(Array.from({ length: 8 }, client));
  }

  /** Returns the files of the directory, oldest first. */
  function files(): string[] {
    const age = (name: string): number => Number(/\d+$/.exec(name)?.[0] ?? 0);
    return readdirSync(directory)
      .sort((left, right) => age(right) - age(left))
      .map((name) => join(directory, name));
  }

  function lines(): LogLine[] {
    return files().flatMap((file) => {
      const text = readFileSync(file, 'utf8');
      assert.ok(text === '' || text.endsWith('\n'), `${file} ends in a cut line`);
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as LogLine);
    });
  }

  /** Waits until each request has exactly one line, and the lines of each worker are in order. */
  async function allLogged(count: number): Promise<void> {
    const expected = Array.from({ length: count }, (_, number) => number);
    const logged = await eventually(() => {
      const found = lines().filter(({ msg }) => msg === 'request');
      assert.ok(found.length >= count, `${found.length} of ${count} lines`);
      return found;
    });
    assert.deepEqual(
      logged.map(({ path }) => Number(String(path).slice(1))).sort((left, right) => left - right),
      expected,
    );
    for (const worker of ['l7-0', 'l7-1']) {
      const times = logged.filter((line) => line.worker === worker).map(({ time }) => String(time));
      assert.deepEqual(times, [...times].sort());
    }
  }

  it('are rotated by size under load, and every request has one line, in order', async () => {
    const sluice = await start((file) => ({ file, maxSize: MAX_SIZE, keep: 100 }));
    await requests(sluice, 2000);
    await allLogged(2000);
    assert.ok(files().length > 3);
    for (const file of files()) {
      assert.ok(statSync(file).size <= MAX_SIZE);
      assert.equal(statSync(file).mode & 0o777, 0o640);
    }
  });

  it('lose no line when they are moved away and opened again by SIGUSR1 under load', async () => {
    const sluice = await start((file) => ({ file }));
    const file = join(directory, 'log');
    const load = requests(sluice, 1500);
    for (let number = 99; number > 90; number--) {
      renameSync(file, `${file}.${number}`);
      sluice.kill('SIGUSR1');
      await eventually(() => assert.ok(existsSync(file)));
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
    await load;
    await allLogged(1500);
    assert.ok(files().length > 1);
  });

  it('are counted and shown if they cannot be written, and do not delay the proxy', async () => {
    const sluice = await start(() => ({ file: '/dev/full' }));
    await requests(sluice, 50);
    await eventually(async () => {
      const metrics = await (
        await fetch(`http://${sluice.admin}/metrics`, { headers: { 'cache-control': 'no-cache' } })
      ).text();
      const dropped = Number(/sluice_log_lines_dropped_total\{log="log"\} (\d+)/.exec(metrics)?.[1]);
      assert.ok(dropped >= 50, `${dropped} lines dropped`);
    });
    const status = (await (await fetch(`http://${sluice.admin}/status`)).json()) as {
      logs: { log: string; file: string; problem: string }[];
    };
    assert.equal(status.logs[0]?.file, '/dev/full');
    assert.match(status.logs[0].problem, /ENOSPC/);
    assert.match(sluice.stderr, /^sluice: the log cannot be written: ENOSPC/m);
    await reload(sluice, {});
    await request(sluice, '/after');
    await sluice.waitForLog(({ path }) => path === '/after');
  });

  it('are shared by two processes during a takeover, which lose and cut no line', async () => {
    const sluice = await start((file) => ({ file, maxSize: MAX_SIZE, keep: 100 }));
    const log = { file: join(directory, 'log'), maxSize: MAX_SIZE, keep: 100 };
    const successor = join(root, 'successor.yaml');
    writeFileSync(successor, JSON.stringify(config(log, sluice.address('web'), sluice.admin)));
    const load = requests(sluice, 2500);
    const child = spawn(process.execPath, [PROGRAM, 'run', '--takeover', '--config', successor], {
      env: { ...process.env, SLUICE_WORKERS_WARMUP: '0s' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    try {
      await load;
      assert.deepEqual(await sluice.waitForExit(DEADLINE_MS), { code: 0, signal: null });
      await allLogged(2500);
      assert.ok(lines().some(({ msg }) => msg === 'taken over'));
      assert.equal(lines().filter(({ msg }) => msg === 'stopped').length, 1);
      assert.ok(files().length > 3);
    } finally {
      const end = once(child, 'close');
      child.kill('SIGTERM');
      await end;
    }
  });
});
