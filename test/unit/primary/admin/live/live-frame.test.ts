import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { doSteps } from '../../../../../src/core/timing/steps.ts';
import { FrameWriter } from '../../../../../src/primary/admin/live/live-frame.ts';
import { EndpointRecord } from '../../../../../src/primary/clusters/endpoint-record.ts';
import { layoutOf } from '../../../../../src/protocol/stats-layout.ts';
import type { LiveFrame } from '../../../../../src/protocol/admin/live.ts';
import type { Labels } from '../../../../../src/telemetry/block-shape.ts';
import type { Metric } from '../../../../../src/telemetry/metrics/metric.ts';
import { pageMetrics } from '../../../../../src/telemetry/metrics/page-metrics.ts';
import { PageSums } from '../../../../../src/telemetry/page-sums.ts';
import { SeriesDirectory } from '../../../../../src/telemetry/series-directory.ts';
import { allocatePage, StatsPage } from '../../../../../src/telemetry/stats-page.ts';
import { clusterConfig, endpointConfigs, endpointState } from '../../../upstream/endpoints.ts';
import { config as base } from '../../fixtures/config.ts';
import { recordOwner } from '../../fixtures/records.ts';

type Facts = ConstructorParameters<typeof FrameWriter>[0];

/** A primary with stats pages of two workers, which the test writes. */
class Rig {
  readonly records: EndpointRecord[];
  readonly writer: FrameWriter;
  readonly #directory: SeriesDirectory;
  readonly #page: SharedArrayBuffer;

  constructor(endpoints = 2, clusters = 1) {
    const entries = endpointConfigs(new Array<number>(endpoints).fill(1));
    const all = Array.from({ length: clusters }, (_, index) =>
      clusterConfig({ name: index === 0 ? 'app' : `other-${index}`, endpoints: index === 0 ? entries : [] }),
    );
    const config = { ...base, clusters: all };
    this.#directory = new SeriesDirectory(layoutOf(config, ['l7-0']).blocks);
    const pages = [0, 1].map(() => allocatePage({ size: this.#directory.capacity }));
    this.#page = pages[1]!;
    this.records = entries.map((entry) => new EndpointRecord(endpointState(entry), recordOwner()));
    const monitors = all.map((one, index) => ({
      config: one,
      panic: false,
      records: index === 0 ? this.records : [],
    }));
    const facts = {
      supervisor: {
        config,
        slots: [],
        leaving: [],
        leftBehind: { slots: [], count: 0 },
        generation: 4,
        count: () => 0,
        directory: this.#directory,
        sums: new PageSums(this.#directory, pages),
      },
      clusters: { all: monitors },
      reloader: { current: config, lastSucceeded: true, lastSuccessAt: 0, needsRestart: [] },
      liveConfig: { certificates: [{ listener: 'web', certificate: 'example.com', notAfter: 86_400 }] },
      drains: {
        progress: [
          { scope: { kind: 'all' }, total: 1, remaining: 0, seconds: 1 },
          { scope: { kind: 'cluster', name: 'app' }, total: 1, remaining: 0, seconds: 1 },
        ],
      },
      engines: { choiceOf: () => ({ reason: 'it is like that' }) },
      versions: { sluice: '1.2.3', node: '22.18.0', uws: '20.1.0' },
      state: () => 'ready',
      notReady: () => null,
      ownErrors: () => [{ kind: 'log', reason: 'dropped', count: 3 }],
    };
    this.writer = new FrameWriter(facts as unknown as Facts);
  }

  add(metric: Metric, labels: Labels, value: number, offset = 0): void {
    const page = new StatsPage(this.#page, this.#directory);
    page.values[page.slot(metric, labels) + offset]! += value;
  }

  frame(): LiveFrame {
    return JSON.parse(doSteps(this.writer.write())) as LiveFrame;
  }
}

const address = (record: EndpointRecord | undefined): string => record!.facts.label;

describe('a live frame', () => {
  it("has the workers' counts of listeners, clusters and endpoints", () => {
    const rig = new Rig();
    const endpoint = { cluster: 'app', endpoint: address(rig.records[1]) };
    rig.add(pageMetrics.connectionsActive, { listener: 'web' }, 5);
    rig.add(pageMetrics.connections, { listener: 'web' }, 9);
    rig.add(pageMetrics.messages, { cluster: 'app', direction: 'upstream' }, 7);
    rig.add(pageMetrics.clusterRejections, { cluster: 'app', reason: 'max_connections' }, 2);
    rig.add(pageMetrics.endpointConnectionsActive, endpoint, 4);
    rig.add(pageMetrics.endpointConnects, endpoint, 10);
    rig.add(pageMetrics.endpointServerErrors, endpoint, 1);
    rig.add(pageMetrics.endpointAnswerSeconds, endpoint, 0.5);
    rig.records[0]!.setDown(true, 'connect ECONNREFUSED');
    const { gauges, counters, errors, clusters, listeners, clusterCount } = rig.frame();
    assert.deepEqual([gauges.connections, counters.connections, counters.messagesUpstream], [5, 9, 7]);
    assert.deepEqual(errors, [
      { kind: 'endpoint', reason: 'server_error', count: 1 },
      { kind: 'cluster', reason: 'max_connections', count: 2 },
      { kind: 'log', reason: 'dropped', count: 3 },
    ]);
    const [cluster] = clusters;
    assert.deepEqual(
      [clusterCount, cluster!.endpointsUp, cluster!.rejections, cluster!.drained],
      [1, 1, 2, true],
    );
    const [down, up] = cluster!.endpoints;
    assert.deepEqual([down!.state, down!.reason, up!.state], ['down', 'connect ECONNREFUSED', 'up']);
    assert.deepEqual([up!.connections, up!.answers, up!.serverErrors, up!.answerSeconds], [4, 11, 1, 0.5]);
    const [web] = listeners;
    assert.deepEqual([web!.connections, web!.engineReason, web!.drained], [5, 'it is like that', false]);
    assert.deepEqual(web!.certificates, [{ name: 'example.com', notAfter: '1970-01-02T00:00:00.000Z' }]);
  });

  it('has the worst and the busiest of many endpoints, in their order', () => {
    const rig = new Rig(200);
    rig.records[150]!.setDraining(true, 'drained by an operator');
    for (let index = 199; index >= 100; index--) {
      const labels = { cluster: 'app', endpoint: address(rig.records[index]) };
      rig.add(pageMetrics.endpointConnectionsActive, labels, index);
    }
    const [cluster] = rig.frame().clusters;
    const { endpoints, endpointCount, endpointsUp } = cluster!;
    assert.deepEqual([endpoints.length, endpointCount, endpointsUp], [50, 200, 199]);
    const shown = endpoints.map(({ connections }) => connections);
    assert.deepEqual(shown, [150, ...Array.from({ length: 49 }, (_, index) => index + 151)]);
  });

  it('has the clusters with the most connections, and those with an endpoint that is not up', () => {
    const rig = new Rig(1, 300);
    rig.records[0]!.setEjected(true, 'five failures');
    rig.add(pageMetrics.clusterConnectionsActive, { cluster: 'other-299' }, 1);
    const { clusters, clusterCount } = rig.frame();
    assert.deepEqual([clusters.length, clusterCount], [100, 300]);
    assert.deepEqual([clusters[0]!.name, clusters.at(-1)!.name], ['app', 'other-299']);
  });

  it('is written in steps for any number of endpoints', () => {
    const rig = new Rig(5000);
    let steps = 0;
    for (const writing = rig.writer.write(); writing.next().done !== true;) steps++;
    assert.ok(steps > 30, `${steps}`);
  });
});
