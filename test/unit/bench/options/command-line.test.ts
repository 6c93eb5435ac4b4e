import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { readExpression, readOptions, runCommand } from '../../../../bench/options/command-line.ts';
import { UsageError } from '../../../../src/core/errors.ts';

const OPTIONS = { suite: { type: 'string' }, help: { type: 'boolean', short: 'h' } } as const;

/** Runs a command. Returns its exit status and output. */
async function outcome(run: () => string): Promise<{ status: number; out: string; err: string }> {
  // Waits a turn: the test reporter also writes to stdout, and must not write during the mock.
  await turn();
  const texts = { out: '', err: '' };
  const stdout = mock.method(process.stdout, 'write', (text: string) => ((texts.out += text), true));
  const stderr = mock.method(process.stderr, 'write', (text: string) => ((texts.err += text), true));
  try {
    return { status: await runCommand('bench:x', run), ...texts };
  } finally {
    stdout.mock.restore();
    stderr.mock.restore();
  }
}

describe('the command lines of benchmarks', () => {
  it('read known options, and refuse others with a one-line error', () => {
    assert.deepEqual({ ...readOptions(['--suite', 'sid', '-h'], OPTIONS) }, { suite: 'sid', help: true });
    assert.throws(() => readOptions(['--sweet'], OPTIONS), {
      name: 'UsageError',
      message: "Unknown option '--sweet': see --help",
    });
  });

  it('read a regular expression, and name the option of a malformed one', () => {
    assert.ok(readExpression('--cases', 'ws|tcp').test('tcp echo'));
    assert.throws(() => readExpression('--cases', '('), {
      message: '--cases (: not a regular expression',
    });
  });

  it('exit with 0 on success, with 1 on failure and with 2 on wrong usage', async () => {
    assert.deepEqual(await outcome(() => 'done\n'), { status: 0, out: 'done\n', err: '' });
    const fail = (error: Error) => (): string => {
      throw error;
    };
    assert.deepEqual(await outcome(fail(new Error('no nginx'))), {
      status: 1,
      out: '',
      err: 'bench:x: no nginx\n',
    });
    assert.equal((await outcome(fail(new UsageError('see --help')))).status, 2);
  });
});
