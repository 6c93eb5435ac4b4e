import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { StartError } from '../../../../src/core/errors.ts';
import { LogOutputs, type OutputSettings } from '../../../../src/telemetry/output/log-outputs.ts';
import type { OutputOptions } from '../../../../src/telemetry/output/log-output.ts';
import { eventually } from '../../../support/deadline.ts';

const LINE = '{"level":"info","time":"2026-01-02T03:04:05.678Z","worker":"l7-0","a":1,"msg":"hello"}\n';
const SLOW_READER = join(import.meta.dirname, 'fixtures/slow-reader.ts');
const noTrouble = (): void => undefined;

function settings(file: string | null, access: string | null = null): OutputSettings {
  const sizes = { maxSizeBytes: 0, keep: 1 };
  return { format: 'json', file, ...sizes, access: access === null ? null : { file: access, ...sizes } };
}

function outputs(to: OutputSettings, options: Partial<OutputOptions> = {}): LogOutputs {
  return new LogOutputs(to, noTrouble, options);
}

describe('the log outputs', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  async function written(
    format: 'json' | 'pretty',
    write: (output: LogOutputs) => void,
    maxWaitingBytes?: number,
  ): Promise<{ text: string; dropped: number }> {
    const file = join(directory, 'log');
    const fd = openSync(file, 'w');
    try {
      const limits = maxWaitingBytes === undefined ? {} : { maxWaitingBytes };
      const output = outputs({ ...settings(null), format }, { stdout: fd, ...limits });
      write(output);
      assert.equal(await output.close(5000), true);
      return { text: readFileSync(file, 'utf8'), dropped: output.dropped.log };
    } finally {
      closeSync(fd);
    }
  }

  it('send no control character to a terminal, in either format', async () => {
    const path = '/\u009b31m\u202e\u2028\u007f\u001b[2J\u00e9';
    const line = `${JSON.stringify({ level: 'info', time: '2026-01-02T03:04:05.678Z', path, msg: path })}\n`;
    const json = await written('json', (output) => output.write(line));
    assert.match(json.text, /^[\x20-\x7e]*\n$/);
    assert.deepEqual(JSON.parse(json.text), JSON.parse(line));
    const pretty = await written('pretty', (output) => output.write(line));
    assert.match(pretty.text, /^[\x20-\x7e\n]*$/);
    assert.match(pretty.text, /u009b31m/);
  });

  it('write JSON lines unchanged, and all of them before they close', async () => {
    const lines = LINE.repeat(5000);
    const { text, dropped } = await written('json', (output) => {
      output.write(lines);
      output.write(LINE);
      output.writeText('text\n');
    });
    assert.equal(text, `${lines}${LINE}text\n`);
    assert.equal(dropped, 0);
  });

  it('format each line of a batch, without colours if the output is not a terminal', async () => {
    const { text } = await written('pretty', (output) => output.write(LINE + LINE));
    const rows = text.split('\n');
    assert.equal(rows.length, 3);
    for (const row of rows.slice(0, 2)) assert.match(row, /^[\d:.]+ INFO {2}l7-0 hello a=1$/);
    assert.ok(!text.includes('\u001b'));
  });

  it('append to a file, and open a new one on reopen after the old one moved', async () => {
    const file = join(directory, 'own.log');
    writeFileSync(file, 'before\n');
    const output = outputs(settings(file));
    output.write('1\n');
    await eventually(() => assert.equal(readFileSync(file, 'utf8'), 'before\n1\n'));
    renameSync(file, `${file}.1`);
    output.write('2\n');
    await eventually(() => assert.equal(readFileSync(`${file}.1`, 'utf8'), 'before\n1\n2\n'));
    assert.deepEqual(output.reopen(), [{ log: 'log', file, problem: null }]);
    output.write('3\n');
    await eventually(() => assert.equal(readFileSync(file, 'utf8'), '3\n'));
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.equal(await output.close(5000), true);
    assert.equal(readFileSync(`${file}.1`, 'utf8'), 'before\n1\n2\n');
  });

  it('name a file that cannot be opened, and stay in the old file if reopening fails', async () => {
    const own = join(directory, 'own');
    mkdirSync(own);
    const file = join(own, 'log');
    const other = join(directory, 'access');
    assert.throws(
      () => outputs(settings(own)),
      /^StartError: the log file .*own \(log\.file\) cannot be opened/,
    );
    assert.throws(() => outputs(settings(null, own)), /\(log\.access\.file\) cannot be opened/);
    const output = outputs(settings(file, other));
    output.write('1\n');
    await eventually(() => assert.equal(readFileSync(file, 'utf8'), '1\n'));
    renameSync(own, `${own}.moved`);
    const [log, access] = output.reopen();
    assert.match(log?.problem ?? '', /cannot be opened/);
    assert.deepEqual(access, { log: 'access', file: other, problem: null });
    output.write('2\n');
    assert.equal(await output.close(5000), true);
    assert.equal(readFileSync(join(`${own}.moved`, 'log'), 'utf8'), '1\n2\n');
  });

  it('have nothing to reopen if they write to a descriptor', async () => {
    await written('json', (output) => assert.deepEqual(output.reopen(), []));
  });

  it('write the access log to its own file, or to the log if it has none', async () => {
    const log = join(directory, 'both.log');
    const access = join(directory, 'both.access');
    const output = outputs(settings(log, access));
    output.write('1\n');
    output.writeAccess('127.0.0.1 - - "GET /\u001b"\n');
    output.prepare(settings(log)).commit();
    output.writeAccess('2\n');
    output.prepare(settings(log, log)).commit();
    output.writeAccess('3\n');
    assert.equal(await output.close(5000), true);
    assert.equal(readFileSync(log, 'utf8'), '1\n2\n3\n');
    // The close also waits for an access log that a change removed.
    assert.equal(readFileSync(access, 'utf8'), '127.0.0.1 - - "GET /\\u001b"\n');
  });

  it('change files and format at the commit, without losing a line', async () => {
    const [first, second] = [join(directory, 'first.log'), join(directory, 'second.log')];
    const output = outputs(settings(first));
    for (let index = 0; index < 1000; index++) output.write(`${index}\n`);
    const change = output.prepare({ ...settings(second), format: 'pretty' });
    output.write('1000\n');
    change.commit();
    output.write(LINE);
    assert.throws(() => output.prepare(settings(first, directory)), StartError);
    output.prepare(settings(first)).abort();
    output.write(LINE);
    assert.equal(await output.close(5000), true);
    assert.equal(
      readFileSync(first, 'utf8'),
      Array.from({ length: 1001 }, (_, index) => `${index}\n`).join(''),
    );
    assert.match(readFileSync(second, 'utf8'), /^(\S+ INFO {2}l7-0 hello a=1\n){2}$/);
    assert.deepEqual(output.states, [{ log: 'log', file: second, dropped: 0, problem: null }]);
  });

  it('drop and count lines above their limit', async () => {
    const { text, dropped } = await written(
      'json',
      (output) => {
        for (let index = 0; index < 10; index++) output.write(LINE + LINE);
      },
      LINE.length * 5,
    );
    assert.equal(dropped + text.split('\n').length - 1, 20);
    assert.ok(dropped > 0 && dropped < 20);
  });

  it('drop and count lines after they were closed', async () => {
    let late: LogOutputs | undefined;
    await written('json', (output) => (late = output));
    late?.write(LINE + LINE);
    assert.equal(late?.dropped.log, 2);
  });

  it('count every line lost to a full disk', async () => {
    const full = outputs(settings('/dev/full', '/dev/full'));
    assert.deepEqual(
      full.states.map(({ log }) => log),
      ['log'],
    );
    full.write(LINE);
    await eventually(() => assert.match(full.states[0]?.problem ?? '', /ENOSPC/));
    full.write(LINE + LINE);
    await eventually(() => assert.equal(full.dropped.log, 3));
    full.write(LINE);
    assert.equal(await full.close(5000), false);
    assert.equal(full.dropped.log, 4);
  });

  it('neither wait forever for a stalled reader, nor fail when the reader is gone', async () => {
    for (const readerStays of [true, false]) {
      const child = spawn(process.execPath, [SLOW_READER], { stdio: ['pipe', 'pipe', 'pipe'] });
      if (!readerStays) child.stdout.destroy();
      let report = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => (report += text));
      const [code] = (await once(child, 'close')) as [number | null];
      assert.equal(code, 7, report);
      assert.match(report, readerStays ? /closed false/ : /closed true/);
      const dropped = Number(/dropped (\d+)/.exec(report)?.[1]);
      assert.ok(dropped > 0, report);
      child.stdout.destroy();
    }
  });
});
