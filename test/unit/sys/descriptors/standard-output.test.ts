import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from '../../../support/processes/run-command.ts';

const FIXTURE = join(import.meta.dirname, 'fixtures/talkative-library.ts');

describe('standard output that has been taken', () => {
  it('gets the text of the new descriptor, and none of descriptor 1', async () => {
    const { status, stdout, stderr } = await runCommand(process.execPath, [FIXTURE]);
    assert.deepEqual(
      { status, stdout, stderr },
      { status: 0, stdout: 'before\nlog\n', stderr: 'complaint\n' },
    );
  });

  it('is not inherited by children, so that its reader sees the end', async () => {
    const { status, stdout } = await runCommand(process.execPath, [FIXTURE, 'child']);
    assert.equal(status, 0);
    assert.equal(stdout, 'before\nlog\n');
  });
});
