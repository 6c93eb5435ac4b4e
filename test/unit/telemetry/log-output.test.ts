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
import { StartError } from '../../../src/core/errors.ts';
import { LogOutput } from '../../../src/telemetry/log-output.ts';
import { eventually } from '../../support/deadline.ts';

const LINE = '{"level":"info","time":"2026-01-02T03:04:05.678Z","worker":"l7-0","a":1,"msg":"hello"}\n';
const SLOW_READER = join(import.meta.dirname, 'fixtures/slow-reader.ts');

describe('the log output', () => {
  let directory = '';
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-log-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  async function written(
    format: 'json' | 'pretty',
    write: (output: LogOutput) => void,
    most?: number,
  ): Promise<{ text: string; dropped: number }> {
    const file = join(directory, 'log');
    const fd = openSync(file, 'w');
    try {
      const output = new LogOutput(format, fd, most);
      write(output);
      assert.equal(await output.close(5000), true);
      return { text: readFileSync(file, 'utf8'), dropped: output.dropped };
    } finally {
      try {
        closeSync(fd);
      } catch {
        // The output closes any descriptor except standard output.
      }
    }
  }

  it('shows no terminal a control character, in either format', async () => {
    const path = '/\u009b31m\u202e\u2028\u007f\u001b[2J\u00e9';
    const line = `${JSON.stringify({ level: 'info', time: '2026-01-02T03:04:05.678Z', path, msg: path })}\n`;
    const json = await written('json', (output) => output.write(line));
    assert.match(json.text, /^[\x20-\x7e]*\n$/);
    assert.deepEqual(JSON.parse(json.text), JSON.parse(line));
    const pretty = await written('pretty', (output) => output.write(line));
    assert.match(pretty.text, /^[\x20-\x7e\n]*$/);
    assert.match(pretty.text, /u009b31m/);
  });

  it('writes JSON lines as they come, all of them before it is closed', async () => {
    const lines = LINE.repeat(5000);
    const { text, dropped } = await written('json', (output) => {
      output.write(lines);
      output.write(LINE);
      output.writeText('text\n');
    });
    assert.equal(text, `${lines}${LINE}text\n`);
    assert.equal(dropped, 0);
  });

  it('makes each line of a batch pretty, without colours unless the output is a terminal', async () => {
    const { text } = await written('pretty', (output) => output.write(LINE + LINE));
    const rows = text.split('\n');
    assert.equal(rows.length, 3);
    for (const row of rows.slice(0, 2)) assert.match(row, /^\[[\d:.]+\] INFO: \[l7-0\] hello \{"a":1\}$/);
    assert.ok(!text.includes('\u001b'));
  });

  it('appends to a file, and opens a new one after the old one was moved', async () => {
    const file = join(directory, 'own.log');
    writeFileSync(file, 'before\n');
    const output = new LogOutput('json', file);
    output.write('1\n');
    await eventually(() => assert.equal(readFileSync(file, 'utf8'), 'before\n1\n'));
    renameSync(file, `${file}.1`);
    output.write('2\n');
    await eventually(() => assert.equal(readFileSync(`${file}.1`, 'utf8'), 'before\n1\n2\n'));
    assert.equal(output.reopen(), file);
    output.write('3\n');
    await eventually(() => assert.equal(readFileSync(file, 'utf8'), '3\n'));
    assert.equal(statSync(file).mode & 0o777, 0o640);
    assert.equal(await output.close(5000), true);
    assert.equal(readFileSync(`${file}.1`, 'utf8'), 'before\n1\n2\n');
  });

  it('names a file that it cannot open, and stays in the old file if reopening fails', async () => {
    const own = join(directory, 'own');
    mkdirSync(own);
    const file = join(own, 'log');
    assert.throws(
      () => new LogOutput('json', own),
      /^StartError: the log file .*own \(log\.file\) cannot be opened/,
    );
    const output = new LogOutput('json', file);
    output.write('1\n');
    await eventually(() => assert.equal(readFileSync(file, 'utf8'), '1\n'));
    renameSync(own, `${own}.moved`);
    assert.throws(() => output.reopen(), StartError);
    output.write('2\n');
    assert.equal(await output.close(5000), true);
    assert.equal(readFileSync(join(`${own}.moved`, 'log'), 'utf8'), '1\n2\n');
  });

  it('has no file to reopen on a descriptor', async () => {
    await written('json', (output) => assert.equal(output.reopen(), null));
  });

  it('drops and counts lines above its bound', async () => {
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

  it('drops and counts lines after it was closed', async () => {
    let late: LogOutput | undefined;
    await written('json', (output) => (late = output));
    late?.write(LINE + LINE);
    late?.writeText('text\n');
    assert.equal(late?.dropped, 2);
  });

  it('continues when nothing can be written any more', async () => {
    const fd = openSync('/dev/full', 'w');
    const output = new LogOutput('json', fd);
    output.write(LINE);
    await new Promise((resolve) => setTimeout(resolve, 20));
    output.write(LINE);
    assert.equal(await output.close(5000), false);
  });

  it('does not wait for ever for a reader that reads nothing, nor fails when the reader is gone', async () => {
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
