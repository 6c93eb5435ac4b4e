/** `sluice bench` in a process of its own: its output and its exit status. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { Scripted, echoTo } from '../../support/processes/load-generator.ts';
import { PROGRAM } from '../../support/processes/program.ts';

interface Exit {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(argv: readonly string[]): { child: ChildProcess; exit: Promise<Exit> } {
  const child = spawn(process.execPath, [PROGRAM, 'bench', ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exit = new Promise<Exit>((settle) => {
    child.once('close', (status) => settle({ status, stdout, stderr }));
  });
  return { child, exit: within('the end of the load generator', exit).finally(() => child.kill('SIGKILL')) };
}

describe('the command of the load generator', () => {
  let echo: Scripted;
  before(async () => {
    echo = await Scripted.listen(echoTo);
  });
  after(() => echo.close());

  it('exits with 0 if assertions hold, and says so in tables', async () => {
    const short = ['-d', '200ms', '--warmup', '0', '-c', '2'];
    const { exit } = start([echo.url, ...short, '--assert', 'p50<10s', '--assert', 'errors=0']);
    const { status, stdout, stderr } = await exit;
    assert.equal(stderr, '');
    assert.equal(status, 0, stdout);
    for (const text of [
      'closed loop',
      'latency',
      '99.9%',
      'deviation',
      'messages',
      'handshake',
      'holds  p50<10s',
    ]) {
      assert.ok(stdout.includes(text), `${text} in\n${stdout}`);
    }
  });

  it('exits with 1 if an assertion fails or there were errors, as JSON or CSV too', async () => {
    const short = ['-d', '200ms', '--warmup', '0', '-c', '1'];
    const [failing, refused] = await Promise.all([
      start([echo.url, ...short, '--json', '--assert', 'p50<1us']).exit,
      start([...short, '--csv', 'ws://127.0.0.1:1/']).exit,
    ]);
    assert.equal(failing.status, 1);
    const record = JSON.parse(failing.stdout) as Record<string, unknown>;
    assert.equal(record.loop, 'closed');
    assert.ok((record.messages as number) > 0);
    assert.ok((record.latency as Record<string, number>).p99! > 0);
    assert.deepEqual(
      (record.assertions as { holds: boolean }[]).map(({ holds }) => holds),
      [false],
    );
    assert.equal(refused.status, 1);
    const [names, values, ...rest] = refused.stdout.split('\r\n');
    assert.deepEqual(rest, ['']);
    assert.ok(names!.split(',').includes('errors.total'));
    assert.match(values!, /connect: ECONNREFUSED/);
  });

  it('exits with 2 for bad usage, in one line', async () => {
    const { status, stdout, stderr } = await start(['http://127.0.0.1/']).exit;
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^bench: [^\n]+\n$/);
  });

  it('prints what was measured so far when it is interrupted', async () => {
    const arrived = Promise.withResolvers<undefined>();
    let messages = 0;
    const server = await Scripted.listen((socket) => {
      echoTo(socket);
      socket.on('message', () => {
        if (++messages === 100) arrived.resolve(undefined);
      });
    });
    const { child, exit } = start([server.url, '-d', '1h', '--warmup', '0', '-c', '2', '-w', '2', '--json']);
    await within('messages', arrived.promise);
    child.kill('SIGINT');
    const { status, stdout } = await exit;
    server.close();
    assert.equal(status, 130);
    const record = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(record.interrupted, true);
    assert.ok((record.messages as number) > 0);
    assert.ok((record.measuredMs as number) > 0 && (record.measuredMs as number) < 60_000);
    const none = { total: 0, kinds: [] };
    assert.deepEqual([record.errors, record.closes], [none, none]);
  });
});
