import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cluster } from '../../../../src/config/types/cluster.ts';
import type { L4Listener } from '../../../../src/config/types/listener.ts';
import { StartError } from '../../../../src/core/errors.ts';
import { chooseEngines, engineInUse } from '../../../../src/primary/process/engines.ts';
import { capture, config, l4Listener, l7Listener } from '../fixtures/config.ts';

const plain = config.clusters[0]!;
const withTls: Cluster = {
  ...plain,
  name: 'secure',
  tls: { serverName: null, ca: null, verify: true, cert: null, key: null },
};

function l4(name: string, engine: L4Listener['engine'], cluster = plain.name): L4Listener {
  return { ...l4Listener, name, engine, cluster };
}

function choose(
  listeners: readonly L4Listener[],
  reason: () => string | null,
): { engines: string[]; lines: readonly { level: string; msg: string }[] } {
  const { log, lines } = capture();
  const all = [l7Listener, ...listeners];
  const chosen = chooseEngines({ listeners: all, clusters: [plain, withTls] }, log, reason);
  assert.equal(chosen[0], l7Listener);
  assert.equal(chosen.length, all.length);
  return { engines: chosen.flatMap((listener) => (listener.mode === 'l4' ? [listener.engine] : [])), lines };
}

const supported = (): null => null;
const unsupported = (): string => 'it is for Linux';

describe('the choice of engines', () => {
  it('is raw if that can be used, and says nothing', () => {
    const { engines, lines } = choose([l4('a', 'auto'), l4('b', 'net'), l4('c', 'raw')], supported);
    assert.deepEqual(engines, ['raw', 'net', 'raw']);
    assert.deepEqual(lines, []);
  });

  it('is net for all if raw cannot be used, and says so once', () => {
    const { engines, lines } = choose([l4('a', 'auto'), l4('b', 'auto'), l4('c', 'net')], unsupported);
    assert.deepEqual(engines, ['net', 'net', 'net']);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [['warn', 'layer 4 uses the engine net, because raw cannot be used']],
    );
    assert.equal((lines[0] as { reason?: string }).reason, 'it is for Linux');
  });

  it('is net for a cluster with TLS', () => {
    const { engines, lines } = choose([l4('a', 'auto'), l4('b', 'auto', 'secure')], supported);
    assert.deepEqual(engines, ['raw', 'net']);
    assert.deepEqual(
      lines.map(({ level, msg }) => [level, msg]),
      [['info', 'the listener uses the engine net, because its cluster has tls']],
    );
  });

  it('refuses to start if raw is demanded and cannot be used', () => {
    assert.throws(
      () => choose([l4('a', 'auto'), l4('b', 'raw')], unsupported),
      (error: unknown) =>
        error instanceof StartError &&
        error.message ===
          'listener "b" demands the engine raw, which cannot be used: it is for Linux; ' +
            'write engine: auto to fall back to net',
    );
  });

  it('does not look if nobody wants raw', () => {
    const { engines } = choose([l4('a', 'net')], () => assert.fail('looked'));
    assert.deepEqual(engines, ['net']);
    assert.deepEqual(choose([], () => assert.fail('looked')).engines, []);
  });

  it('is told in one word', () => {
    assert.equal(engineInUse([l7Listener]), 'none');
    assert.equal(engineInUse([l7Listener, l4('a', 'raw'), l4('b', 'raw')]), 'raw');
    assert.equal(engineInUse([l4('a', 'net')]), 'net');
    assert.equal(engineInUse([l4('a', 'net'), l4('b', 'raw')]), 'mixed');
  });
});
