import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  descriptorLimitFor,
  planDescriptors,
  readDescriptorLimit,
} from '../../../src/core/descriptor-limit.ts';
import { runCommand } from '../../support/processes/run-command.ts';

describe('descriptor limit', () => {
  it('leaves two descriptors for each client, and a reserve', () => {
    assert.deepEqual(planDescriptors(256, 2), { limit: 256, ceiling: 224, clients: 84 });
    assert.deepEqual(planDescriptors(1024, 2), { limit: 1024, ceiling: 896, clients: 420 });
    assert.deepEqual(planDescriptors(1_048_576, 16), {
      limit: 1_048_576,
      ceiling: 1_048_320,
      clients: 524_048,
    });
  });

  it('leaves no client below the descriptors of the process itself', () => {
    assert.equal(planDescriptors(64, 2).clients, 0);
    assert.equal(planDescriptors(16, 2).ceiling, 0);
  });

  it('returns a limit that suffices for a number of clients', () => {
    for (const clients of [1, 100, 5000, 1_000_000]) {
      for (const threads of [1, 8, 64]) {
        assert.ok(planDescriptors(descriptorLimitFor(clients, threads), threads).clients >= clients);
      }
    }
  });

  it('reads the limit of the process', async () => {
    const file = new URL('../../../src/core/descriptor-limit.ts', import.meta.url).pathname;
    const script = `import('${file}').then((m) => console.log(m.readDescriptorLimit()))`;
    const { stdout } = await runCommand('sh', [
      '-c',
      `ulimit -n 200 && exec "$0" -e "$1"`,
      process.execPath,
      script,
    ]);
    assert.equal(stdout.trim(), '200');
    assert.ok((readDescriptorLimit() ?? 1) > 0);
  });
});
