import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../../src/config/types/config.ts';
import { StartError } from '../../../../src/core/errors.ts';
import { LiveConfig } from '../../../../src/primary/control/live-config.ts';
import type { HeldAddress } from '../../../../src/primary/process/address-claim.ts';
import { clusterState } from '../../upstream/endpoints.ts';
import { capture, config } from '../fixtures/config.ts';

const next: Config = { ...config, log: { ...config.log, level: 'warn' } };
const concrete = { kind: 'tcp', host: '127.0.0.1', port: 8080 } as const;

/** A current configuration whose parts record their calls. `fault` names the part that fails. */
function setup(fault: 'claim' | 'clusters' | 'outputs' | 'workers' | null = null): {
  readonly live: LiveConfig;
  readonly calls: string[];
  readonly log: { readonly level: string };
  /** The addresses that each claim was told to leave out. */
  readonly held: (readonly HeldAddress[])[];
} {
  const calls: string[] = [];
  const held: (readonly HeldAddress[])[] = [];
  const { log } = capture();
  const failAt = (step: typeof fault): void => {
    if (fault === step) throw new StartError(`no ${step}`);
  };
  const supervisor = {
    generation: 1,
    reload: async ({ listeners }: Config, _states: unknown, onCommit: () => void) => {
      const generation = supervisor.generation + 1;
      const ports = listeners.map(({ address: { port } }) => port);
      calls.push(`workers get ${generation} on ${ports.join()}`);
      await Promise.resolve();
      failAt('workers');
      onCommit();
      supervisor.generation = generation;
    },
  };
  const live = new LiveConfig(
    {
      supervisor,
      clusters: {
        prepare: () => ({
          ready: async () => {
            await Promise.resolve();
            failAt('clusters');
            calls.push('clusters are ready');
            return config.clusters.map(clusterState);
          },
          commit: () => void calls.push('clusters change'),
          abort: () => void calls.push('clusters stay'),
        }),
      },
      keySets: {
        prepare: () => ({
          ready: () => Promise.resolve(),
          commit: () => void calls.push('key sets change'),
          abort: () => void calls.push('key sets stay'),
        }),
      },
      revocations: { prepare: () => () => void calls.push('revocations change') },
      spans: { apply: () => undefined },
      taps: { apply: ({ tap }) => void calls.push(`taps may show ${tap}`) },
      output: {
        prepare: () => {
          failAt('outputs');
          return {
            commit: () => void calls.push('outputs change'),
            abort: () => void calls.push('outputs stay'),
          };
        },
      },
      drains: { endUnknown: () => void calls.push('drains of unknown scopes end') },
      claim: async ({ listeners }, before) => {
        await Promise.resolve();
        failAt('claim');
        held.push(before);
        return {
          listeners: listeners.map((listener) => ({ ...listener, address: concrete })),
          held: listeners.map(({ name, address }) => ({ name, configured: address, concrete })),
          release: () => void calls.push('workers may listen'),
          free: () => void calls.push('claim is given up'),
        };
      },
      log,
    },
    { held: [], listeners: config.listeners },
  );
  return { live, calls, log, held };
}

describe('the configuration in force', () => {
  it('changes in workers, clusters and drains in one turn, and then ends its claim', async () => {
    const { live, calls, log } = setup();
    assert.equal(await live.apply(next), 2);
    assert.deepEqual(calls, [
      'clusters are ready',
      'workers may listen',
      'workers get 2 on 8080,8080',
      'clusters change',
      'key sets change',
      'drains of unknown scopes end',
      'revocations change',
      'taps may show off',
      'outputs change',
      'claim is given up',
    ]);
    assert.equal(log.level, 'warn');
  });

  it('does not claim an address that it already holds', async () => {
    const { live, held } = setup();
    await live.apply(next);
    await live.apply(next);
    assert.deepEqual(held[0], []);
    assert.deepEqual(
      held[1]!.map((address) => [address.name, address.concrete.port]),
      [
        ['web', 8080],
        ['tcp', 8080],
      ],
    );
  });

  for (const [fault, calls] of [
    ['claim', []],
    ['clusters', ['clusters stay', 'key sets stay', 'outputs stay', 'claim is given up']],
    ['outputs', ['clusters stay', 'key sets stay', 'claim is given up']],
    [
      'workers',
      [
        'clusters are ready',
        'workers may listen',
        'workers get 2 on 8080,8080',
        'clusters stay',
        'key sets stay',
        'outputs stay',
        'claim is given up',
      ],
    ],
  ] as const) {
    it(`stays if the ${fault} fails, and leaves no trace`, async () => {
      const { live, calls: made, log } = setup(fault);
      await assert.rejects(live.apply(next), { message: `no ${fault}` });
      assert.deepEqual(made, calls);
      assert.equal(log.level, 'debug');
    });
  }
});
