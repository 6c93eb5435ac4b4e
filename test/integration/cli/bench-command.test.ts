/** `sluice bench` as a process: its output and its exit status. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { within } from '../../support/deadline.ts';
import { Scripted, echoTo } from '../../support/processes/load-generator.ts';
import { PROGRAM } from '../../support/processes/program.ts';
import { WrittenRecording } from '../../support/recording/written-recording.ts';

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

describe('the bench command', () => {
  let echo: Scripted;
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  before(async () => {
    echo = await Scripted.listen(echoTo);
  });
  after(() => {
    echo.close();
    rmSync(directory, { recursive: true });
  });

  it('exits with 0 if assertions hold, and prints tables', async () => {
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

  it('exits with 1 if an assertion fails or errors occur, with JSON and CSV output too', async () => {
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

  it('plays a recording from a file, and reports the result in all formats', async () => {
    const recording = new WrittenRecording();
    recording.session().client(5, 'hello').endpoint(6, 'hello').close(20, 'client', 1000).end(21);
    recording.session(3).client(5, 'hello').endpoint(6, 'good bye').end(21);
    const file = join(directory, 'recording.jsonl');
    // The replay ignores a last line that a full disk has truncated.
    const lines = recording.records.map((record) => `${JSON.stringify(record)}\n`).join('');
    writeFileSync(file, `${lines}{"type":"fr`);
    const same = ['--replay', file, '--expect', 'same'];
    const [good, json, csv] = await Promise.all([
      start([echo.url, '--replay', file, '--assert', 'errors=0']).exit,
      start([echo.url, ...same, '--json']).exit,
      start([echo.url, ...same, '--csv']).exit,
    ]);
    assert.equal(good.status, 0, good.stdout + good.stderr);
    assert.match(good.stdout, /replay of .*recording\.jsonl: 2 clients in .*, with 2 messages and 2 replies/);
    assert.match(good.stdout, /2 clients played as recorded, 0 failed, 2 messages sent/);
    assert.equal(json.status, 1);
    const { loop, replay, errors } = JSON.parse(json.stdout) as Record<string, Record<string, unknown>>;
    assert.equal(loop, 'recorded');
    const { played, failed, differences, expect, recording: facts } = replay!;
    assert.deepEqual([played, failed, expect], [1, 1, 'same']);
    assert.deepEqual(differences, [
      'session w0-2, message 1: expected text "good bye" (8 bytes), came text "hello" (5 bytes)',
    ]);
    assert.equal((facts as Record<string, unknown>).clients, 2);
    assert.deepEqual(errors!.kinds, [{ kind: 'reply: other than recorded', count: 1 }]);
    assert.equal(csv.status, 1);
    assert.ok(csv.stdout.split('\r\n')[0]!.includes('replay.recording.clients'));
  });

  it('names the file and line of an invalid recording, and the remedy', async () => {
    const file = join(directory, 'bad.jsonl');
    const header = JSON.stringify(new WrittenRecording().records[0]);
    writeFileSync(file, `${header}\n{"type":"frame"}\n`);
    const [missing, bad, empty] = await Promise.all([
      start([echo.url, '--replay', join(directory, 'none.jsonl')]).exit,
      start([echo.url, '--replay', file]).exit,
      start([echo.url, '--replay', '/dev/null']).exit,
    ]);
    for (const { status, stdout } of [missing, bad, empty]) assert.deepEqual([status, stdout], [1, '']);
    assert.match(missing.stderr, /^sluice: [^\n]*none\.jsonl: ENOENT[^\n]*\n$/);
    assert.match(bad.stderr, /^sluice: [^\n]*bad\.jsonl: line 2: [^\n]+\n$/);
    assert.match(empty.stderr, /^sluice: \/dev\/null: line 1: [^\n]*sluice tap --output[^\n]*\n$/);
  });

  it('exits with 2 for bad usage, and says what is wrong', async () => {
    const { status, stdout, stderr } = await start(['http://127.0.0.1/']).exit;
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, /^sluice: http:[^\n]+\nTry sluice help bench\.\n$/);
  });

  it('prints the measurements so far when it is interrupted', async () => {
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
