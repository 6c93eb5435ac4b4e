/** `sluice tap` against a fake admin server: its text output and its recordings. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { Har } from 'har-format';
import type { TapRecord } from '../../../src/wire/recording/records.ts';
import { eventually, within } from '../../support/deadline.ts';
import { TAP_HEADER, TapServer, openedRecord, textRecord } from '../../support/http/tap-server.ts';
import { PROGRAM } from '../../support/processes/program.ts';
import { Tmux } from '../../support/terminal/tmux.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const HOSTILE = '\u001b[2J\u001b]0;title\u0007\u202e日本語 '.repeat(20);
const linesOf = (...records: readonly TapRecord[]): string =>
  records.map((record) => `${JSON.stringify(record)}\n`).join('');

/** The command as a process. */
class Command {
  stdout = '';
  stderr = '';
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  readonly #ended: Promise<number | null>;

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [PROGRAM, 'tap', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stderr.setEncoding('utf8').on('data', (text: string) => (this.stderr += text));
    this.#ended = new Promise((settle) => this.child.once('exit', settle));
  }

  reads(): this {
    this.child.stdout.setEncoding('utf8').on('data', (text: string) => (this.stdout += text));
    return this;
  }

  ended(): Promise<number | null> {
    return within('the end of tap', this.#ended);
  }
}

describe('the tap command', { timeout: 300_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'tap-test-'));
  const file = join(directory, 'sluice.json');
  let server: TapServer;
  let names = 0;

  before(async () => {
    server = await TapServer.start();
    const config = {
      admin: { address: `127.0.0.1:${server.port}`, token: TOKEN },
      listeners: [{ name: 'a', mode: 'l4', address: '127.0.0.1:1', cluster: 'app' }],
      clusters: [{ name: 'app', endpoints: [{ address: '127.0.0.1:1' }] }],
    };
    writeFileSync(file, JSON.stringify(config));
  });
  beforeEach(() => {
    server.refusal = null;
    server.asked.length = 0;
  });
  after(async () => {
    await server.stop();
    rmSync(directory, { recursive: true });
  });

  const name = (end: string): string => join(directory, `${names++}${end}`);
  const args = (...more: readonly string[]): readonly string[] => ['-c', file, ...more];

  async function begin(...more: readonly string[]): Promise<Command> {
    const command = new Command(args(...more)).reads();
    await server.has(1);
    return command;
  }

  it('fits an 80x24 terminal, and escapes control sequences from clients', async () => {
    const terminal = await Tmux.start(80, 24);
    try {
      await terminal.shows(/^\$/);
      await terminal.enter(
        `clear; ${process.execPath} ${PROGRAM} tap ${args('--payload').join(' ')}; echo status $?`,
      );
      await server.has(1);
      server.send(openedRecord('097672d415-12'), textRecord('097672d415-12', HOSTILE));
      for (let count = 0; count < 3; count++) server.send(textRecord('097672d415-12', `message ${count}`));
      server.send({ type: 'lost', at: 1, worker: 'l7-1', frames: 7, sessions: 0, lines: 0 });
      const lines = await terminal.shows(/LOST 7 frames: l7-1/);
      assert.match(lines[0] ?? '', /^watching all sessions and tunnels, payload up to 4KiB/);
      assert.match(lines.join('\n'), /0976-12 session 097672d415-12 opened, 192\.0\.2\.7, jwt:alice, \/chat/);
      assert.match(lines.join('\n'), /0976-12 C->E text +\d+ \\u001b\[2J\\u001b\]0;tit[^\n]*…\n/);
      assert.match(lines.join('\n'), /0976-12 C->E text +9 message 2\n/);
      assert.match(await terminal.colours(), /\u001b\[9?\d+m0976-12/);
      await terminal.press('C-c');
      await terminal.shows(/1 session, 4 frames, LOST 7 frames[^]*status 0/);
      await server.has(0);
    } finally {
      await terminal.close();
    }
  });

  it('sends its options in the request', async () => {
    const command = await begin(
      ...[
        '--route',
        'chat',
        '--principal',
        'jwt:a b',
        '--sample',
        '1%',
        '--payload',
        '--max-payload',
        '8KiB',
      ],
      ...['--redact', '$.a', '--redact', '/b&c/', '--frames', '1'],
    );
    const [path = ''] = server.asked;
    const url = new URL(path.replace('POST ', ''), 'http://a');
    assert.deepEqual(
      [...url.searchParams],
      [
        ['route', 'chat'],
        ['principal', 'jwt:a b'],
        ['sample', '1%'],
        ['maxPayload', '8KiB'],
        ['payload', 'true'],
        ['redact', '$.a'],
        ['redact', '/b&c/'],
      ],
    );
    server.send(openedRecord('a-1'), textRecord('a-1', 'x'), textRecord('a-1', 'y'));
    assert.equal(await command.ended(), 0);
    assert.match(command.stderr, /1 session, 1 frame, none lost\n$/);
  });

  it('copies records to a pipe unchanged with --json, and ends after --duration', async () => {
    const command = await begin('--json', '--duration', '1s');
    const lines = linesOf(openedRecord('a-1'), textRecord('a-1', HOSTILE));
    server.sendText(`\n${lines}\n`);
    assert.equal(await command.ended(), 0);
    assert.equal(command.stdout, linesOf(TAP_HEADER) + lines);
  });

  for (const [signal, status] of [
    ['SIGINT', 0],
    ['SIGTERM', 143],
  ] as const) {
    it(`ends cleanly on ${signal}, with a complete recording that only its owner can read`, async () => {
      const recording = name('.jsonl');
      const command = await begin('--output', recording);
      const lines = linesOf(openedRecord('a-1'), textRecord('a-1', 'ü'));
      server.sendText(`${lines}{"type":"fra`);
      await eventually(() => assert.equal(readFileSync(recording, 'utf8'), linesOf(TAP_HEADER) + lines));
      command.child.kill(signal);
      assert.equal(await command.ended(), status);
      assert.match(command.stderr, /1 session, 1 frame, none lost; recorded in .*jsonl\n$/);
      assert.equal(readFileSync(recording, 'utf8'), linesOf(TAP_HEADER) + lines);
      assert.equal(statSync(recording).mode & 0o777, 0o600);
      await server.has(0);
    });
  }

  it('ends on SIGINT even if its output is not read', async () => {
    const command = new Command(args('--payload', '--json'));
    await server.has(1);
    const line = textRecord('a-1', 'x'.repeat(50_000));
    while (server.send(line));
    await eventually(() => assert.match(command.stderr, /watching/));
    command.child.kill('SIGINT');
    assert.equal(await command.ended(), 0);
  });

  for (const [how, said] of [
    ['end', /the proxy closed the connection; 1 session, 1 frame/],
    ['cut', /aborted; 1 session, 1 frame/],
  ] as const) {
    it(`reports a lost connection (${how}), and keeps the recording`, async () => {
      const recording = name('.jsonl');
      const command = await begin('--output', recording);
      const lines = linesOf(openedRecord('a-1'), textRecord('a-1', 'x'));
      server.sendText(`${lines}{"type":"fra`);
      await eventually(() => assert.equal(readFileSync(recording, 'utf8'), linesOf(TAP_HEADER) + lines));
      server.endTaps(how);
      assert.equal(await command.ended(), 1);
      assert.match(command.stderr, said);
      assert.equal(readFileSync(recording, 'utf8'), linesOf(TAP_HEADER) + lines);
    });
  }

  it('says why the proxy ended the tap', async () => {
    const command = await begin();
    server.send({ type: 'done', at: 1, reason: 'admin.tap is off' });
    server.endTaps('end');
    assert.equal(await command.ended(), 1);
    assert.match(command.stderr, /the proxy ended the tap: admin\.tap is off; 0 sessions/);
  });

  it('says why the tap is refused, and leaves no file behind', async () => {
    server.refusal = { status: 403, message: 'admin.tap is off: set it to headers or payload' };
    const recording = name('.har');
    const command = new Command(args('--output', recording)).reads();
    assert.equal(await command.ended(), 1);
    assert.equal(
      command.stderr,
      'sluice: the tap is refused: admin.tap is off: set it to headers or payload\n',
    );
    assert.deepEqual(
      readdirSync(directory).filter((found) => join(directory, found).startsWith(recording)),
      [],
    );
  });

  it('reports a full disk in one line', async () => {
    const command = new Command(args('--output', '/dev/full', '--force')).reads();
    assert.equal(await command.ended(), 1);
    assert.match(command.stderr, /cannot write \/dev\/full: ENOSPC: no space left on device/);
    assert.equal(command.stderr.split('\n').length, 3, command.stderr);
  });

  it('replaces a file only with --force', async () => {
    const recording = name('.jsonl');
    writeFileSync(recording, 'old', { mode: 0o644 });
    const refused = new Command(args('--output', recording)).reads();
    assert.equal(await refused.ended(), 1);
    assert.match(refused.stderr, /exists: name another file, or add --force/);
    assert.equal(readFileSync(recording, 'utf8'), 'old');
    const command = await begin('--output', recording, '--force', '--frames', '1');
    server.send(textRecord('a-1', 'x'));
    assert.equal(await command.ended(), 0);
    assert.equal(readFileSync(recording, 'utf8'), linesOf(TAP_HEADER, textRecord('a-1', 'x')));
    assert.equal(statSync(recording).mode & 0o777, 0o600);
  });

  it('writes a HAR file even on SIGINT, and converts a recording to one', async () => {
    const archive = name('.har');
    const command = await begin('--output', archive);
    server.send(openedRecord('a-1'), openedRecord('a-2'), textRecord('a-1', 'x'), textRecord('a-2', 'y'));
    const recording = `${archive}.part.jsonl`;
    await eventually(() => assert.match(readFileSync(recording, 'utf8'), /"y"/));
    const copy = name('.jsonl');
    writeFileSync(copy, readFileSync(recording));
    command.child.kill('SIGINT');
    assert.equal(await command.ended(), 0);
    assert.equal(existsSync(recording), false);
    const har = JSON.parse(readFileSync(archive, 'utf8')) as Har;
    assert.deepEqual(
      har.log.entries.map(({ _webSocketMessages: messages }) => messages?.map(({ data }) => data)),
      [['x'], ['y']],
    );
    const again = name('.har');
    const converted = new Command(['--from', copy, '--session', 'a-2', '--output', again]).reads();
    assert.equal(await converted.ended(), 0);
    const one = JSON.parse(readFileSync(again, 'utf8')) as Har;
    assert.deepEqual(
      one.log.entries.map(({ request }) => request.url),
      ['ws://chat.example/chat'],
    );
  });

  it('names the invalid line of a recording, or a missing file', async () => {
    const recording = name('.jsonl');
    writeFileSync(recording, `${linesOf(TAP_HEADER, textRecord('a-1', 'hello'))}{"type":"frame"}\n`);
    const command = new Command(['--from', recording]).reads();
    assert.equal(await command.ended(), 1);
    assert.match(command.stderr, /line 3: /);
    const missing = new Command(['--from', name('.jsonl')]).reads();
    assert.equal(await missing.ended(), 1);
    assert.match(missing.stderr, /^sluice: cannot read .*ENOENT/);
  });

  it('refuses invalid and conflicting options', async () => {
    for (const [options, reason] of [
      [['--from', 'a', '--payload'], /--payload is for a running sluice: leave it out with --from/],
      [['--hex'], /--hex shows payloads: add --payload/],
      [['--force'], /--force is for --output FILE/],
      [['--from', 'a', '--output', './a', '--force'], /--from and --output name the same file/],
      [['--sample', '200%'], /--sample 200%: write a fraction/],
      [['--frames', '0'], /--frames 0: write a number from 1/],
    ] as const) {
      const command = new Command(options).reads();
      assert.equal(await command.ended(), 2);
      assert.match(command.stderr, reason);
    }
  });
});
