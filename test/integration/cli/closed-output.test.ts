/** Commands whose output nobody reads any more, as after `sluice help | head -1`. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { openSync, closeSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { PROGRAM } from '../../support/processes/program.ts';
import { freePorts } from '../../support/sockets/free-port.ts';

/** Starts sluice with closed pipes: each write to them fails with EPIPE. */
function start(argv: readonly string[], closed: readonly ('stdout' | 'stderr')[]): ChildProcess {
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, SLUICE_WORKERS_WARMUP: '0s' },
  });
  for (const name of closed) child[name].destroy();
  return child;
}

describe('a command whose reader left', { timeout: 60_000 }, () => {
  for (const argv of [
    ['--help'],
    ['--version'],
    ['completion', 'bash'],
    ['to', '3000', '--print'],
    ['schema'],
  ]) {
    it(`ends without a stack trace: ${argv.join(' ')}`, async () => {
      const child = start(argv, ['stdout']);
      const [errors] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
      assert.deepEqual([errors, child.exitCode], ['', 0]);
    });
  }

  it('keeps its exit status if standard error is closed', async () => {
    for (const argv of [[], ['chekc']]) {
      const child = start(argv, ['stdout', 'stderr']);
      await once(child, 'exit');
      assert.equal(child.exitCode, 2);
    }
  });

  it('fails with a message if the disk is full', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, [PROGRAM, '--version'], { stdio: ['ignore', full, 'pipe'] });
    closeSync(full);
    const [errors] = await Promise.all([text(child.stderr!), once(child, 'exit')]);
    assert.match(errors, /^sluice: standard output cannot be written: ENOSPC[^\n]*\n$/);
    assert.equal(child.exitCode, 1);
  });

  it('continues if it is a proxy, and nobody reads its log and its errors', async () => {
    const [admin] = await freePorts(1);
    const child = start(['to', '3000', '--listen', '0', '--admin', String(admin!)], ['stdout', 'stderr']);
    const exit = once(child, 'exit');
    try {
      await eventually(async () => {
        if (child.exitCode === null) await fetch(`http://127.0.0.1:${admin!}/readyz`);
      });
      assert.equal(child.exitCode, null);
    } finally {
      child.kill('SIGTERM');
    }
    await exit;
    assert.equal(child.exitCode, 0);
  });
});
