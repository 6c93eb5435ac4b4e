import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import type { TracingSettings } from '../../../../src/config/types/config.ts';
import { SpanService, type LoadPipeline } from '../../../../src/primary/tracing/span-service.ts';
import { tracingFamilies } from '../../../../src/primary/tracing/tracing-metrics.ts';
import type { SpanRecord } from '../../../../src/protocol/spans.ts';
import type { Logger } from '../../../../src/telemetry/logger.ts';
import { spanRecord } from './spans.ts';

const SETTINGS: TracingSettings = { url: 'http://127.0.0.1/v1/traces', sample: 1, headers: {}, routes: {} };

/** A service with a pipeline that the test plays. */
class Rig {
  readonly calls: string[] = [];
  readonly added: SpanRecord[] = [];
  readonly lines: string[] = [];
  loading = Promise.withResolvers<null>();
  /** Error of a change to another collector, or null. */
  fault: Error | null = null;
  capacity = Infinity;
  left = 0;
  /** Whether the last exports end only in a hurry. */
  isHanging = false;
  readonly waits: number[] = [];
  owner: Parameters<LoadPipeline>[1] | null = null;
  queued = 0;
  readonly service = new SpanService({
    onQueued: () => this.queued++,
    log: {
      warn: (fields: object, text: string) => void this.lines.push(text, JSON.stringify(fields)),
    } as unknown as Logger,
    load: async ({ url }, owner) => {
      this.calls.push(`load ${url}`);
      this.owner = owner;
      await this.loading.promise;
      return {
        add: (record) => this.added.length < this.capacity && this.added.push(record) > 0,
        change: (settings) => {
          this.calls.push(`change ${settings.url}`);
          if (this.fault !== null) throw this.fault;
        },
        close: async (ms, hurry) => {
          this.calls.push('close');
          this.waits.push(ms);
          if (this.isHanging) await once(hurry, 'abort');
          return this.left;
        },
      };
    },
  });

  async ready(): Promise<void> {
    this.service.apply(SETTINGS);
    this.loading.resolve(null);
    await settle();
  }
}

function settle(): Promise<unknown> {
  return new Promise(setImmediate);
}

describe('the spans of all workers', () => {
  it('load nothing and are not exported without tracing', async () => {
    const { service, calls, added } = new Rig();
    service.apply(null);
    service.take([spanRecord()], 0);
    await service.stop();
    assert.deepEqual([calls, added], [[], []]);
    assert.deepEqual(service.counts, { exported: 0, dropped: { worker: 0, queue: 0, export: 0 } });
  });

  it('wait until the SDK is loaded, up to a limit', async () => {
    const rig = new Rig();
    rig.service.apply(SETTINGS);
    rig.service.take(
      Array.from({ length: 2000 }, (_, index) => spanRecord(index)),
      3,
    );
    rig.loading.resolve(null);
    await settle();
    assert.deepEqual([rig.added.length, rig.queued], [1024, 1024]);
    assert.deepEqual(rig.service.counts.dropped, { worker: 3, queue: 976, export: 0 });
  });

  it('are counted if the queue is full, the collector fails, or the end comes too early', async () => {
    const rig = new Rig();
    rig.capacity = 1;
    await rig.ready();
    rig.service.take([spanRecord(1), spanRecord(2)], 0);
    rig.owner?.exported(5);
    rig.owner?.failed(7, '503 Service Unavailable');
    rig.owner?.failed(1, '503 Service Unavailable');
    rig.left = 2;
    await rig.service.stop();
    assert.deepEqual(rig.service.counts, { exported: 5, dropped: { worker: 0, queue: 1, export: 10 } });
    assert.deepEqual(rig.lines, [
      'export of spans failed',
      '{"spans":7,"detail":"503 Service Unavailable"}',
      'export of spans failed',
      '{"spans":2,"detail":"the collector did not answer before the end"}',
    ]);
    const samples = tracingFamilies(rig.service).flatMap(({ read }) => [...read()].map(({ value }) => value));
    assert.deepEqual(samples, [5, 0, 1, 10]);
  });

  it('have a limited time at the end, and a short one if hurried', async () => {
    const rig = new Rig();
    await rig.ready();
    rig.isHanging = true;
    rig.left = 3;
    const stopped = rig.service.stop();
    await settle();
    rig.service.hurry();
    await stopped;
    assert.equal(rig.service.counts.dropped.export, 3);
    const late = new Rig();
    await late.ready();
    late.service.hurry();
    await late.service.stop();
    assert.deepEqual([...rig.waits, ...late.waits], [2000, 200]);
  });

  it('follow a reload to another collector, and end with tracing', async () => {
    const rig = new Rig();
    await rig.ready();
    rig.service.apply({ ...SETTINGS, sample: 0.5, routes: { chat: 1 } });
    rig.service.apply({ ...SETTINGS, url: 'http://other/v1/traces' });
    rig.service.apply(null);
    rig.service.apply(SETTINGS);
    await settle();
    assert.deepEqual(rig.calls, [
      'load http://127.0.0.1/v1/traces',
      'change http://other/v1/traces',
      'close',
      'load http://127.0.0.1/v1/traces',
    ]);
  });

  it('are lost with one line if the SDK is missing', async () => {
    const rig = new Rig();
    rig.service.apply(SETTINGS);
    rig.loading.reject(new Error('Cannot find package'));
    await settle();
    assert.deepEqual(rig.lines, ['export of spans failed', '{"spans":0,"detail":"Cannot find package"}']);
    rig.loading = Promise.withResolvers<null>();
    rig.loading.resolve(null);
    rig.service.take([spanRecord()], 0);
    rig.service.apply({ ...SETTINGS, url: 'http://other/v1/traces' });
    await settle();
    assert.equal(rig.added.length, 1, 'the next collector gets them');
    await rig.service.stop();
  });

  it('are still exported if a change of the collector fails', async () => {
    const rig = new Rig();
    await rig.ready();
    rig.fault = new Error('bad certificate');
    rig.service.apply({ ...SETTINGS, url: 'http://other/v1/traces' });
    await settle();
    assert.deepEqual(rig.lines, ['export of spans failed', '{"spans":0,"detail":"bad certificate"}']);
    rig.service.take([spanRecord()], 0);
    assert.equal(rig.added.length, 1);
    await rig.service.stop();
    assert.equal(rig.calls.at(-1), 'close');
  });
});
