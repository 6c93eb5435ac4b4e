import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { warnOfEngines } from '../../../src/cli/engine-warnings.ts';
import type { Config } from '../../../src/config/types/config.ts';
import type { MachineLimits } from '../../../src/primary/process/engine-choice.ts';
import { load } from '../config/load.ts';

const BARE: MachineLimits = {
  systemCalls: () => 'the package koffi is not installed',
  openssl: () => assert.fail('asked for OpenSSL without system calls'),
  uws: () => ({ problem: 'the package uWebSockets.js is not installed', remedy: 'install it' }),
};

function configOf(...engines: readonly string[]): Config {
  const listeners = engines.map((settings, index) => {
    const route = '{ name: all, match: {}, cluster: app }';
    return `  - { name: l${index}, mode: l7, address: ':0', ${settings}, routes: [${route}] }`;
  });
  return load(`
listeners:
${listeners.join('\n')}
clusters: [{ name: app, endpoints: [{ address: '192.0.2.1:1' }] }]
`).config;
}

describe('the warnings about engines', () => {
  it('name each listener that this machine cannot run, with the problem and the remedy', async () => {
    const config = configOf('engine: net', 'engine: raw', 'websocket: { compression: shared }');
    assert.deepEqual(await warnOfEngines(config, BARE), [
      {
        place: 'listeners.1',
        message:
          'on this machine, listener "l1" needs the engine raw, and system calls cannot be used: ' +
          'the package koffi is not installed; write engine: auto to fall back to net',
      },
      {
        place: 'listeners.2',
        message:
          'on this machine, listener "l2" needs the engine uws, which cannot be used: ' +
          'the package uWebSockets.js is not installed; install it, or leave "websocket.compression: shared" out',
      },
    ]);
  });

  it('are not given for engines that the machine has, nor for listeners that may have several', async () => {
    const able: MachineLimits = { systemCalls: () => null, openssl: () => null, uws: () => null };
    assert.deepEqual(await warnOfEngines(configOf('engine: raw', 'engine: uws'), able), []);
    const blind: MachineLimits = { ...BARE, systemCalls: () => assert.fail('asked for system calls') };
    assert.deepEqual(await warnOfEngines(configOf('engine: auto', 'engine: net'), blind), []);
  });
});
