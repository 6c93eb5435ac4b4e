import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { pino } from 'pino';
import { Successor } from '../../../../src/primary/process/successor.ts';
import type { Logger } from '../../../../src/telemetry/logger.ts';
import { eventually } from '../../../support/deadline.ts';

const SUCCESSOR = new URL('../../../../src/primary/process/successor.ts', import.meta.url).href;

/** Waits for a file, and no longer than the test's directory exists: a loop that remains would keep the runner. */
const UNTIL_GO = 'until [ -e "$SAID.go" ] || [ ! -d "${SAID%/*}" ]; do sleep 0.05; done';

describe('a successor', () => {
  let directory = '';
  let messages: string[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-successor-'));
    messages = [];
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  function capture(): Logger {
    const mine = messages;
    return pino({}, { write: (line: string) => void mine.push((JSON.parse(line) as { msg: string }).msg) });
  }

  /** A successor whose command is a shell script, which finds a file to write to in $SAID. */
  function successor(
    script: string,
    ...more: string[]
  ): { readonly starts: Successor; readonly said: () => string } {
    const file = join(directory, 'said');
    const env = { PATH: process.env.PATH, SAID: file, WATCHDOG_PID: '1', WATCHDOG_USEC: '5' };
    const command = ['/bin/sh', '-c', script, 'sluice', ...more];
    return {
      starts: new Successor({ command, env, canStart: true, stdout: 1, log: capture() }),
      said: () => readFileSync(file, 'utf8').trim(),
    };
  }

  it('is the same command with --takeover, and is no child of this process', async () => {
    const { starts, said } = successor(
      'echo "$PPID $WATCHDOG_USEC ${WATCHDOG_PID-none} $@" > "$SAID"',
      'run',
      '-c',
      'a b',
    );
    starts.start();
    await eventually(() => assert.match(said(), /run/));
    const [, parent = '', rest] = /^(\d+) (.*)$/.exec(said()) ?? [];
    assert.notEqual(Number(parent), process.pid);
    assert.equal(rest, '5 none run -c a b --takeover');
  });

  it('gets --takeover once', async () => {
    const { starts, said } = successor('echo "$@" > "$SAID"', 'run', '--takeover');
    starts.start();
    await eventually(() => assert.equal(said(), 'run --takeover'));
  });

  it('that ends before it took over is reported, and another can start', async () => {
    const { starts } = successor('exit 1');
    for (const count of [1, 2]) {
      starts.start();
      await eventually(() =>
        assert.equal(messages.filter((msg) => msg === 'no successor: this process continues').length, count),
      );
    }
    assert.ok(!messages.includes('no successor started: one starts already'));
  });

  it('is not started if no other process can read the configuration', () => {
    const command = ['/bin/sh', '-c', 'exit 1'];
    const starts = new Successor({ command, env: {}, canStart: false, stdout: 1, log: capture() });
    starts.start();
    assert.deepEqual(messages, ['no successor started: the configuration is not in a file']);
  });

  it('is started once while it starts, and its end is its own affair when it has taken over', async () => {
    const { starts, said } = successor(`echo x >> "$SAID"; ${UNTIL_GO}; echo y >> "$SAID"`);
    starts.start();
    starts.start();
    assert.deepEqual(messages, ['successor starts', 'no successor started: one starts already']);
    await eventually(() => assert.equal(said(), 'x'));
    starts.succeeded();
    writeFileSync(join(directory, 'said.go'), '');
    await eventually(() => assert.equal(said(), 'x\ny'));
    assert.equal(messages.length, 2);
  });

  it('that is starting is stopped, even if its id is not known yet', async () => {
    const script = `trap 'echo stopped > "$SAID"; exit' TERM; echo runs > "$SAID"; while [ -d "\${SAID%/*}" ]; do sleep 0.05; done`;
    const early = successor(script);
    early.starts.start();
    early.starts.stop();
    await eventually(() => assert.ok(messages.includes('starting successor stopped')));
    const late = successor(script);
    late.starts.start();
    await eventually(() => assert.equal(late.said(), 'runs'));
    late.starts.stop();
    await eventually(() => assert.equal(late.said(), 'stopped'));
    assert.ok(!messages.includes('no successor: this process continues'));
  });

  it('that has taken over is not stopped', async () => {
    const { starts, said } = successor(`echo $$ > "$SAID"; ${UNTIL_GO}`);
    starts.start();
    await eventually(() => assert.match(said(), /^\d+$/));
    starts.succeeded();
    starts.stop();
    const pid = Number(said());
    process.kill(pid, 0);
    writeFileSync(join(directory, 'said.go'), '');
    await eventually(() => assert.throws(() => process.kill(pid, 0)));
    assert.deepEqual(messages, ['successor starts']);
  });

  it('that cannot be spawned is reported, and this process continues', async () => {
    // More than the kernel takes in one argument: spawn throws E2BIG.
    const { starts } = successor('exit 0', 'x'.repeat(256 * 1024));
    starts.start();
    await eventually(() => assert.ok(messages.includes('no successor: this process continues')));
  });

  it('is reported if no descriptor is free', () => {
    const program = `
      import { openSync } from 'node:fs';
      import { Successor } from ${JSON.stringify(SUCCESSOR)};
      const log = { info: () => {}, warn: () => {}, error: ({ reason }, msg) => reasons.push(msg + ' ' + reason) };
      const reasons = [];
      const successor = new Successor({ command: ['/bin/true'], env: {}, canStart: true, stdout: 1, log });
      const open = [];
      try { for (;;) open.push(openSync('/dev/null')); } catch {}
      process.once('SIGUSR2', () => { successor.start(); setImmediate(() => console.log(reasons.join())); });
      process.kill(process.pid, 'SIGUSR2');
      setTimeout(() => {}, 500);
    `;
    const limited = [
      '-c',
      'ulimit -n 64 && exec "$@"',
      'sh',
      process.execPath,
      '--input-type=module',
      '-e',
      program,
    ];
    const { stdout, stderr } = spawnSync('/bin/sh', limited, { encoding: 'utf8', timeout: 30_000 });
    assert.match(stdout, /^no successor: this process continues .*EMFILE/, stderr);
  });

  it('whose program is missing is reported', async () => {
    const starts = new Successor({
      command: [join(directory, 'nothing')],
      env: {},
      canStart: true,
      stdout: 1,
      log: capture(),
    });
    starts.start();
    await eventually(() => assert.ok(messages.includes('no successor: this process continues')));
  });
});
