import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadedConfig } from '../../../../src/config/loader.ts';
import type { Config } from '../../../../src/config/types/config.ts';
import { ConfigError, StartError } from '../../../../src/core/errors.ts';
import { Lifecycle } from '../../../../src/primary/control/lifecycle.ts';
import { Reloader } from '../../../../src/primary/control/reloader.ts';
import { capture, config } from '../fixtures/config.ts';

const loaded = (next: Config): LoadedConfig => ({
  config: next,
  warnings: [],
  clusterFiles: new Map(),
  blockLists: new Map(),
  givenValues: [],
  files: ['/etc/sluice.yaml'],
});

const ready = { state: 'ready', isDraining: false } as const;

describe('the reloader', () => {
  it('applies configurations one at a time, and counts them', async () => {
    const applied: number[] = [];
    let running = 0;
    const { log, lines } = capture();
    const files: (readonly string[])[] = [];
    const reloader = new Reloader(
      {
        lifecycle: ready,
        log,
        load: () => Promise.resolve(loaded(config)),
        onRead: (names, usable) => files.push([...names, `${usable}`]),
        current: config,
        apply: async () => {
          running++;
          assert.equal(running, 1, 'two at a time');
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          applied.push(applied.length + 2);
          return applied.at(-1)!;
        },
      },
      1,
    );
    const results = await Promise.all(['one', 'two', 'three'].map((cause) => reloader.reload(cause)));
    assert.deepEqual(
      results.map(({ generation, problem }) => [generation, problem]),
      [
        [2, null],
        [3, null],
        [4, null],
      ],
    );
    assert.deepEqual(reloader.counts, { success: 3, failure: 0 });
    assert.deepEqual(files, new Array(3).fill(['/etc/sluice.yaml', 'true']));
    assert.equal(lines.filter(({ msg }) => msg === 'configuration reloaded').length, 3);
  });

  it('keeps the old one if the new one is invalid or cannot be applied, and logs why and where', async () => {
    const { log, lines } = capture();
    let fault: Error = new ConfigError([{ place: 'sluice.yaml:3:5', message: 'unknown key "x"' }]);
    const reloader = new Reloader(
      {
        lifecycle: ready,
        log,
        load: () => (fault instanceof ConfigError ? Promise.reject(fault) : Promise.resolve(loaded(config))),
        current: config,
        apply: () => (fault.message === '' ? Promise.resolve(2) : Promise.reject(fault)),
      },
      1,
    );
    const bad = await reloader.reload('SIGHUP');
    assert.equal(bad.generation, 1);
    assert.match(bad.problem ?? '', /sluice\.yaml:3:5: unknown key "x"/);
    assert.ok(
      lines.some(
        (line) =>
          line.level === 'error' && (line as unknown as { place?: string }).place === 'sluice.yaml:3:5',
      ),
    );
    assert.equal(reloader.lastSucceeded, false);
    fault = new StartError('the address is in use');
    assert.deepEqual((await reloader.reload('command')).problem, 'the address is in use');
    fault = new Error('');
    assert.deepEqual(await reloader.reload('command'), { generation: 2, problem: null, needsRestart: [] });
    assert.equal(reloader.lastSucceeded, true);
    assert.deepEqual(reloader.counts, { success: 1, failure: 2 });
  });

  it('reports when the current configuration was loaded, and whether a later one failed', async () => {
    let clock = 1000;
    const events: unknown[] = [];
    let isUsable = true;
    const reloader = new Reloader(
      {
        lifecycle: ready,
        log: capture().log,
        load: () => Promise.resolve(loaded(config)),
        current: config,
        apply: () => (isUsable ? Promise.resolve(2) : Promise.reject(new StartError('in use'))),
        report: (event) => void events.push(event),
        now: () => clock,
      },
      1,
    );
    assert.equal(reloader.lastSuccessAt, 1000);
    clock = 2000;
    await reloader.reload('command');
    assert.equal(reloader.lastSuccessAt, 2000);
    clock = 3000;
    isUsable = false;
    assert.deepEqual(events, []);
    await reloader.reload('SIGHUP');
    assert.equal(reloader.lastSuccessAt, 2000);
    assert.deepEqual(events, [{ kind: 'reload', reason: 'failed', detail: 'SIGHUP: in use' }]);
  });

  it('keeps settings that require a restart, and reports them until the file is restored', async () => {
    const other: Config = {
      ...config,
      admin: {
        address: { kind: 'tcp', host: '127.0.0.1', port: 9 },
        hosts: ['sluice.internal'],
        token: 'another-token-than-before',
        tap: 'headers',
        tapRedact: ['$..password'],
      },
      log: { ...config.log, level: 'debug', format: 'pretty', file: '/var/log/sluice' },
      demo: { echo: 'app', chat: null, feed: null, game: null, job: null },
    };
    let next = other;
    const applied: Config[] = [];
    const reloader = new Reloader(
      {
        lifecycle: ready,
        log: capture().log,
        load: () => Promise.resolve(loaded(next)),
        current: config,
        apply: (usable) => Promise.resolve(applied.push(usable) + 1),
      },
      1,
    );
    const { needsRestart } = await reloader.reload('command');
    assert.deepEqual(needsRestart, ['admin.address', 'demo']);
    const [usable] = applied;
    assert.deepEqual(usable!.admin, { ...other.admin, address: config.admin.address });
    assert.deepEqual(usable!.log, other.log);
    assert.equal(usable!.demo, null);
    next = config;
    assert.deepEqual((await reloader.reload('command')).needsRestart, []);
    assert.deepEqual(reloader.needsRestart, []);
  });

  it('applies nothing if the end is announced while it reads', async () => {
    const lifecycle = new Lifecycle();
    lifecycle.becomeReady();
    const reloader = new Reloader(
      {
        lifecycle,
        log: capture().log,
        load: () => {
          lifecycle.announceEnd();
          return Promise.resolve(loaded(config));
        },
        current: config,
        apply: () => Promise.reject(new Error('applied')),
      },
      1,
    );
    assert.equal((await reloader.reload('SIGHUP')).problem, 'not while the proxy is draining');
  });

  it('reports the start and end of a reload, unless the process ends first', async () => {
    const lifecycle = new Lifecycle();
    lifecycle.becomeReady();
    const told: string[] = [];
    let ends = false;
    const reloader = new Reloader(
      {
        lifecycle,
        log: capture().log,
        load: () => Promise.resolve(loaded(config)),
        onReload: (isOver) => told.push(isOver ? 'over' : 'begins'),
        current: config,
        apply: () => {
          if (ends) lifecycle.announceEnd();
          return Promise.resolve(2);
        },
      },
      1,
    );
    await reloader.reload('command');
    assert.deepEqual(told.splice(0), ['begins', 'over']);
    ends = true;
    assert.equal((await reloader.reload('command')).problem, null);
    assert.deepEqual(told, ['begins']);
    assert.equal((await reloader.reload('command')).problem, 'not while the proxy is draining');
    assert.deepEqual(told, ['begins']);
  });
});
