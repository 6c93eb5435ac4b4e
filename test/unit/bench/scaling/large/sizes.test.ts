import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { largeHaproxy } from '../../../../../bench/scaling/large/large-haproxy.ts';
import { largeSluice } from '../../../../../bench/scaling/large/large-sluice.ts';
import { MAX_ENDPOINTS, endpointAddress, type LargeSetup } from '../../../../../bench/scaling/large/sizes.ts';
import { loadConfig } from '../../../../../src/config/loader.ts';

const SETUP: LargeSetup = {
  sizes: { clusters: 3, endpoints: 4, routes: 7, workers: 2 },
  ports: { web: 8080, admin: 9090 },
  version: 1,
};

describe('a generated configuration', () => {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-large-'));
  after(() => rmSync(directory, { recursive: true }));

  it('has the requested sizes, and is valid for sluice', () => {
    const file = join(directory, largeSluice.file);
    writeFileSync(file, largeSluice.configuration(SETUP));
    const { config } = loadConfig({ file, overrides: [], env: {} });
    assert.equal(config.workers.l7, 2);
    assert.deepEqual(
      config.clusters.map(({ endpoints }) => endpoints.length),
      [4, 4, 4],
    );
    const [listener] = config.listeners;
    assert.ok(listener?.mode === 'l7');
    assert.equal(listener.routes.length, 7);
  });

  for (const peer of [largeSluice, largeHaproxy]) {
    it(`differs between two versions only in the changed route: ${peer.name}`, () => {
      const before = peer.configuration(SETUP).split('\n');
      const after = peer.configuration({ ...SETUP, version: 2 }).split('\n');
      const changed = after.filter((line, index) => line !== before[index]).join('\n');
      assert.equal(after.length, before.length);
      assert.match(changed, /changed-2\.example\.com/);
      assert.match(changed, /version 2\./);
      assert.ok(changed.split('\n').length <= 2);
    });
  }

  it('has a distinct loopback address for each endpoint', () => {
    const addresses = Array.from({ length: 1000 }, (_, index) => endpointAddress(index * 250));
    assert.equal(new Set(addresses).size, 1000);
    assert.equal(endpointAddress(0), '127.1.1.1:19999');
    assert.equal(endpointAddress(MAX_ENDPOINTS - 1), '127.255.250.250:19999');
  });
});
