import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, it, mock } from 'node:test';
import type { RedisSettings } from '../../../../../src/config/types/limits.ts';
import type { RedisDial } from '../../../../../src/primary/access/redis/redis-connection.ts';
import { RedisServices } from '../../../../../src/primary/access/redis/redis-services.ts';
import { capture } from '../../fixtures/config.ts';

const SETTINGS: RedisSettings = { url: 'redis://redis.test:6379', onFailure: 'local', prefix: 'sluice' };

interface Rig {
  readonly services: RedisServices;
  /** Names of the commands that have left the process, for each connection. */
  readonly sent: readonly string[][];
  /** For each connection. */
  readonly signals: readonly AbortSignal[];
  settings: RedisSettings | null;
}

/** A server that answers everything. As with the package `redis`, a command leaves in a later turn, unless the connection has ended. */
function rig(): Rig {
  const sent: string[][] = [];
  const signals: AbortSignal[] = [];
  const dial: RedisDial = ({ signal }) => {
    const commands: string[] = [];
    sent.push(commands);
    signals.push(signal);
    const send = async ([name = '']: readonly string[]): Promise<unknown> => {
      await turn();
      signal.throwIfAborted();
      commands.push(name);
      return name === 'HSCAN' ? ['0', []] : 1;
    };
    return Promise.resolve({ send, subscribe: () => Promise.resolve() });
  };
  const parts: Rig = {
    services: new RedisServices({
      settings: () => parts.settings,
      entries: () => [],
      revocations: { all: [], onChange: () => () => undefined, merge: () => undefined },
      log: capture().log,
      dial,
    }),
    sent,
    signals,
    settings: SETTINGS,
  };
  return parts;
}

async function turns(): Promise<void> {
  for (let count = 0; count < 10; count++) await turn();
}

describe('RedisServices', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval', 'setTimeout'] }));
  afterEach(() => mock.timers.reset());

  it('ends the lease of the process before its connection', async () => {
    const { services, sent, signals } = rig();
    services.start();
    await turns();
    await services.stop();
    assert.equal(sent[0]!.at(-1), 'ZREM');
    assert.ok(signals[0]!.aborted);
  });

  it('ends the lease on a server that a reload replaces', async () => {
    const parts = rig();
    parts.services.start();
    await turns();
    parts.settings = { ...SETTINGS, url: 'redis://other.test:6379' };
    mock.timers.tick(200);
    await turns();
    assert.equal(parts.sent[0]!.at(-1), 'ZREM');
    assert.deepEqual(
      parts.signals.map(({ aborted }) => aborted),
      [true, false],
    );
    await parts.services.stop();
  });

  it('stops at once without a connection', async () => {
    const { services } = rig();
    services.start();
    await services.stop();
    assert.equal(services.state, null);
  });
});
