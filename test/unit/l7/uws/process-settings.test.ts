import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { missingBinary } from '../../../../src/l7/uws/process-settings.ts';

describe('the binary of uWebSockets.js', () => {
  it('is there for this process', () => {
    assert.equal(missingBinary(), null);
  });

  it('is missed for a Node or a machine that the package does not have', () => {
    const node24 = { ...process, versions: { ...process.versions, node: '24.1.0', modules: '137' } };
    assert.equal(
      missingBinary(node24),
      `uWebSockets.js has no binary for Node 24.1.0 on ${process.platform} ${process.arch}`,
    );
    assert.equal(
      missingBinary({ ...process, platform: 'freebsd' }),
      `uWebSockets.js has no binary for Node ${process.versions.node} on freebsd ${process.arch}`,
    );
  });
});
