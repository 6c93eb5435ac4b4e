/** The rules of deploy/prometheus, as Prometheus's own tool reads and evaluates them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { runCommand } from '../../support/processes/run-command.ts';
import { RULES } from '../../support/prometheus/rules.ts';

async function promtool(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runCommand('promtool', args);
  assert.equal(status, 0, stdout + stderr);
  return stdout + stderr;
}

describe('the rules for Prometheus', () => {
  it('load without a complaint, and so does the example that uses them', async () => {
    const files = ['recording.yaml', 'alerts.yaml'].map((file) => join(RULES, file));
    await promtool('check', 'rules', '--lint=all', '--lint-fatal', ...files);
    assert.match(await promtool('check', 'config', join(RULES, 'prometheus.yaml')), /2 rule files found/);
  });

  it('fire for their own condition, and for no other', async () => {
    assert.match(await promtool('test', 'rules', join(RULES, 'tests.yaml')), /SUCCESS/);
  });
});
