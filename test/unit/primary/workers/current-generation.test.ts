import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Config } from '../../../../src/config/types/config.ts';
import { TicketKeyRing } from '../../../../src/core/ticket-key-ring.ts';
import { LimitTables } from '../../../../src/primary/limits/limit-tables.ts';
import { TicketKeys } from '../../../../src/primary/tickets/ticket-keys.ts';
import { ClusterRecords } from '../../../../src/primary/workers/cluster-records.ts';
import { CurrentGeneration } from '../../../../src/primary/workers/current-generation.ts';
import { pageShapes } from '../../../../src/telemetry/metrics/page-shapes.ts';
import { WorkerPages } from '../../../../src/primary/workers/worker-pages.ts';
import { threadMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { clusterState } from '../../upstream/endpoints.ts';
import { config, l7Listener, listenerTls } from '../fixtures/config.ts';

const clusters = config.clusters.map(clusterState);
const renamed: Config = { ...config, listeners: [{ ...config.listeners[0]!, name: 'new' }] };

/** A worker that answers when the test lets it. */
class FakeWorker {
  readonly told: string[] = [];
  readonly #answer = Promise.withResolvers<string | null>();
  generation = 1;
  settled = Promise.resolve();

  prepare({ generation }: { generation: number }): Promise<string | null> {
    this.told.push(`prepare ${generation}`);
    return this.#answer.promise;
  }

  settle({ commit, generation }: { commit: boolean; generation: number }): Promise<void> {
    this.told.push(`${commit ? 'commit' : 'abort'} ${generation}`);
    return this.settled;
  }

  answer(problem: string | null): void {
    this.#answer.resolve(problem);
  }
}

function setup(): { readonly pages: WorkerPages; readonly currentGeneration: CurrentGeneration } {
  const pages = new WorkerPages(config);
  const ticketKeys = new TicketKeys(config.listeners);
  return {
    pages,
    currentGeneration: new CurrentGeneration(config, 1, {
      pages,
      ticketKeys,
      limitTables: new LimitTables(config.listeners),
      records: new ClusterRecords(pages.directory),
    }),
  };
}

describe('the current generation', () => {
  it('changes in all workers at once, when the last one is prepared', async () => {
    const { currentGeneration } = setup();
    const workers = [new FakeWorker(), new FakeWorker()] as const;
    const said: string[] = [];
    const onCommit = (): void => {
      for (const { told, generation } of workers) said.push(`${told.at(-1)}, is at ${generation}`);
    };
    const change = currentGeneration.change({ config: renamed, clusters, workers, onCommit });
    workers[0].answer(null);
    await Promise.resolve();
    assert.deepEqual([currentGeneration.number, workers[0].told], [1, ['prepare 2']]);
    workers[1].answer(null);
    await change;
    assert.deepEqual(said, ['commit 2, is at 2', 'commit 2, is at 2']);
    assert.deepEqual([currentGeneration.number, currentGeneration.config], [2, renamed]);
  });

  it('has changed when the last worker has committed it', async () => {
    const { currentGeneration } = setup();
    const workers = [new FakeWorker(), new FakeWorker()] as const;
    const last = Promise.withResolvers<undefined>();
    workers[1].settled = last.promise.then(() => undefined);
    let isOver = false;
    const change = currentGeneration
      .change({ config: renamed, clusters, workers, onCommit: () => undefined })
      .then(() => (isOver = true));
    for (const worker of workers) worker.answer(null);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([isOver, workers[1].told], [false, ['prepare 2', 'commit 2']]);
    last.resolve(undefined);
    await change;
    assert.ok(isOver);
  });

  it('stays in all workers if one of them refuses the next', async () => {
    const { pages, currentGeneration } = setup();
    const workers = [new FakeWorker(), new FakeWorker()] as const;
    const onCommit = (): void => assert.fail('committed');
    const table = pages.directory.tableWithout(pageShapes.endpoint);
    const change = currentGeneration.change({ config: renamed, clusters, workers, onCommit });
    workers[0].answer(null);
    workers[1].answer('worker l7-1: no such certificate');
    await assert.rejects(change, /^StartError: worker l7-1: no such certificate$/);
    for (const { told, generation } of workers) {
      assert.deepEqual([told, generation], [['prepare 2', 'abort 2'], 1]);
    }
    assert.deepEqual([currentGeneration.number, currentGeneration.config], [1, config]);
    assert.deepEqual(pages.directory.tableWithout(pageShapes.endpoint), table);
  });

  it('is settled before a worker starts during a change, whether or not the change fails', async () => {
    const { currentGeneration } = setup();
    const worker = new FakeWorker();
    const change = currentGeneration.change({
      config: renamed,
      clusters,
      workers: [worker],
      onCommit: () => undefined,
    });
    let decided = false;
    const waiting = currentGeneration.decided.then(() => (decided = true));
    await new Promise(setImmediate);
    assert.equal(decided, false);
    worker.answer('no');
    await assert.rejects(change);
    await waiting;
  });

  it('keeps the line window of a listener that stays', async () => {
    const { currentGeneration } = setup();
    const before = currentGeneration.facts.lineWindows;
    const next: Config = { ...config, listeners: [...config.listeners, ...renamed.listeners] };
    const change = { clusters, workers: [], onCommit: () => undefined };
    await currentGeneration.change({ config: next, ...change });
    const { lineWindows } = currentGeneration.facts;
    assert.equal(lineWindows.get('web'), before.get('web'));
    assert.deepEqual([...lineWindows.keys()], ['web', 'tcp', 'new']);
  });

  it('keeps the ticket keys of a listener that stays, and changes their settings only if all workers accept', async () => {
    const pages = new WorkerPages(config);
    const secure = { ...l7Listener, engine: 'raw', tls: listenerTls() } as const;
    const keys = [Buffer.alloc(80, 7).toString('base64')];
    const tickets = { kind: 'file', keyFile: '/keys', keys } as const;
    const fromFile = { ...secure, tls: { ...secure.tls, tickets } };
    const first: Config = { ...config, listeners: [secure] };
    const currentGeneration = new CurrentGeneration(first, 1, {
      pages,
      ticketKeys: new TicketKeys(first.listeners),
      limitTables: new LimitTables(first.listeners),
      records: new ClusterRecords(pages.directory),
    });
    const memory = currentGeneration.facts.ticketKeys.get('web');
    const ring = new TicketKeyRing(memory);
    const before = ring.keys;
    const next: Config = { ...config, listeners: [fromFile] };
    const refusing = new FakeWorker();
    refusing.answer('no');
    const change = { config: next, clusters, onCommit: () => undefined };
    await assert.rejects(currentGeneration.change({ ...change, workers: [refusing] }));
    assert.equal(ring.keys, before);
    await currentGeneration.change({ ...change, workers: [] });
    assert.equal(currentGeneration.facts.ticketKeys.get('web'), memory);
    assert.deepEqual(ring.keys, [Buffer.alloc(80, 7)]);
  });

  it('hides the series of an older generation when no worker uses it', async () => {
    const { pages, currentGeneration } = setup();
    const page = pages.add();
    await currentGeneration.change({
      config: renamed,
      clusters,
      workers: [],
      onCommit: () => undefined,
    });
    const isShown = (): boolean =>
      pages.directory
        .visible()
        .some(({ shape, labels }) => shape === pageShapes.listener && labels.listener === 'web');
    const oldest = pages.directory.slot(threadMetrics.oldestGeneration, { worker: 'l7-0' });
    const slot = { name: 'l7-0', page, state: 'up' } as const;
    new Float64Array(page)[oldest] = 1;
    currentGeneration.releaseSeries({ slots: [slot], leaving: [] });
    assert.equal(isShown(), true, 'a worker still uses it');
    new Float64Array(page)[oldest] = 2;
    currentGeneration.releaseSeries({ slots: [slot], leaving: [slot] });
    assert.equal(isShown(), true, 'a leaving worker may');
    currentGeneration.releaseSeries({ slots: [slot], leaving: [] });
    assert.equal(isShown(), false);
  });
});
