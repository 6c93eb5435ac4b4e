import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { lowestDescriptor } from '../../../../src/sys/descriptors/lowest-descriptor.ts';
import { runCommand } from '../../../support/processes/run-command.ts';

const FILE = new URL('../../../../src/sys/descriptors/lowest-descriptor.ts', import.meta.url).pathname;

describe('the lowest free descriptor', { skip: process.platform === 'win32' }, () => {
  it('is the next descriptor that the kernel assigns, and stays free', () => {
    const lowest = lowestDescriptor();
    const asked = [lowest(), lowest()];
    const given = openSync('/dev/null', 'r');
    assert.deepEqual(asked, [given, given]);
    assert.ok(lowest() > given);
    closeSync(given);
    assert.equal(lowest(), given);
  });

  it('leaves no descriptor behind', { skip: process.platform !== 'linux' }, () => {
    const lowest = lowestDescriptor();
    const before = readdirSync('/proc/self/fd').length;
    for (let asked = 0; asked < 100; asked++) lowest();
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });

  for (const [how, argv] of [
    ['by system calls', []],
    [
      'without system calls',
      ['--import', new URL('../../../support/processes/fixtures/no-koffi.ts', import.meta.url).pathname],
    ],
  ] as const) {
    it(`is infinite if no descriptor is free, ${how}`, { skip: process.platform !== 'linux' }, async () => {
      const script = `
        const { openSync } = process.getBuiltinModule('node:fs');
        const { lowestDescriptor } = await import('${FILE}');
        const lowest = lowestDescriptor();
        const first = lowest();
        try { for (;;) openSync('/dev/null', 'r'); } catch { console.log(Number.isInteger(first), lowest()); }`;
      const { stdout, stderr } = await runCommand('sh', [
        ...['-c', 'ulimit -n 100 && exec "$@"', 'sh'],
        ...[process.execPath, ...argv, '--input-type=module', '-e', script],
      ]);
      assert.equal(stdout, 'true Infinity\n', stderr);
    });
  }
});
