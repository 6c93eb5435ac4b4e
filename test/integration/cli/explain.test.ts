/** `sluice schema` and `sluice explain`, run as from a shell. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, it } from 'node:test';
import { PROGRAM } from '../../support/processes/program.ts';
import { runCommand, type CommandResult } from '../../support/processes/run-command.ts';

const SCHEMA = join(resolve(import.meta.dirname, '../../..'), 'config/schema.json');

function sluice(...args: readonly string[]): Promise<CommandResult> {
  return runCommand(process.execPath, [PROGRAM, ...args]);
}

describe('commands about the configuration', { timeout: 300_000 }, () => {
  it('schema prints the schema of the package', async () => {
    const { status, stdout } = await sluice('schema');
    assert.equal(status, 0);
    assert.equal(stdout, readFileSync(SCHEMA, 'utf8'));
  });

  it('explain shows a key, by the end of its path', async () => {
    const { status, stdout } = await sluice('explain', 'tls.minVersion');
    assert.equal(status, 0);
    assert.match(stdout, /^listeners\.tls\.minVersion\n/);
  });

  it('explain lists the top level without a key, and all keys that match', async () => {
    assert.match((await sluice('explain')).stdout, /^ {2}listeners +Addresses that clients connect to\.$/m);
    assert.match((await sluice('explain', 'maxConnections')).stdout, /^ {2}clusters\.maxConnections /m);
  });

  it('explain --json prints an array', async () => {
    const { stdout } = await sluice('explain', 'log.level', '--json');
    const [key] = JSON.parse(stdout) as readonly { readonly path: string; readonly default: string }[];
    assert.deepEqual([key?.path, key?.default], ['log.level', 'info']);
  });

  it('explain suggests keys for an unknown one', async () => {
    const { status, stderr } = await sluice('explain', 'minVersoin');
    assert.equal(status, 2);
    assert.match(stderr, /there is no key "minVersoin": did you mean listeners\.tls\.minVersion\?/);
  });
});
