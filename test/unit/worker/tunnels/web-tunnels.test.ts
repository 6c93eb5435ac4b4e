import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { AccessSettings } from '../../../../src/config/types/access.ts';
import type { Config } from '../../../../src/config/types/config.ts';
import type { L7Listener, PassthroughRule } from '../../../../src/config/types/listener.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import type { TunnelMaker } from '../../../../src/l4/tunnel-maker.ts';
import type { TunnelEnvironment } from '../../../../src/l4/tunnel-routes.ts';
import { layoutOf } from '../../../../src/protocol/stats-layout.ts';
import { pageMetrics } from '../../../../src/telemetry/metrics/page-metrics.ts';
import { StatsPage, allocatePage } from '../../../../src/telemetry/stats-page.ts';
import { entryFactsOf, type ConnectionHolds } from '../../../../src/transport/entry.ts';
import { Cluster } from '../../../../src/upstream/cluster.ts';
import { WebTunnels } from '../../../../src/worker/tunnels/web-tunnels.ts';
import { FakeLimits, guardsOf } from '../../access/fakes.ts';
import { capture, config } from '../../primary/fixtures/config.ts';
import { clusterConfig, clusterState, contextOf } from '../../upstream/endpoints.ts';
import { NO_JOURNAL } from '../../../support/journals.ts';
import { NO_TAPS } from '../../../support/taps.ts';

const clusters = [clusterConfig({ name: 'db' }), clusterConfig({ name: 'mail' })];
const DB: PassthroughRule = { serverNames: ['*.db.example'], cluster: 'db' };
const MAIL: PassthroughRule = { serverNames: ['mail.example'], cluster: 'mail' };
const OPEN: AccessSettings = {
  deny: [],
  allow: null,
  origins: null,
  basic: null,
  jwt: null,
  forwardAuth: null,
};
const FACTS = entryFactsOf('198.51.100.7');

function listenerWith(...passthrough: readonly PassthroughRule[]): L7Listener {
  const web = config.listeners.find(({ mode }) => mode === 'l7') as L7Listener;
  return { ...web, name: 'web', passthrough };
}

/** Records calls. Each connection is a text here. */
class FakeMaker implements TunnelMaker<object> {
  readonly asked: string[] = [];

  begin: TunnelMaker<object>['begin'] = ({ cluster }, connection) => {
    this.asked.push(`${connection as unknown as string} to ${cluster.name}`);
  };

  refuse(connection: object): void {
    this.asked.push(`${connection as unknown as string} refused`);
  }
}

function make(listener = listenerWith(DB, MAIL)): {
  tunnels: WebTunnels;
  asked: readonly string[];
  environment: TunnelEnvironment;
  value: (metric: 'connectionsActive' | 'connectionsRejected', reason?: string) => number;
  another: (listener: L7Listener) => WebTunnels;
} {
  const whole: Config = { ...config, listeners: [listenerWith(DB, MAIL)], clusters };
  const layout = layoutOf(whole, ['l7-0']);
  const page = new StatsPage(allocatePage(layout), layout);
  const pages = [page.values];
  const clusterContext = contextOf({ pages: [page], all: pages, endpoints: [] });
  const environment = {
    page,
    pages,
    wheel: new TimerWheel(0),
    log: capture().log,
    journal: NO_JOURNAL,
    taps: NO_TAPS,
    limits: guardsOf(null),
    clusters: new Map(
      clusters.map((each) => [each.name, new Cluster(each, clusterState(each), clusterContext)]),
    ),
  };
  const maker = new FakeMaker();
  return {
    tunnels: new WebTunnels(listener, environment, maker),
    asked: maker.asked,
    environment,
    value: (metric, reason) =>
      page.values[
        page.slot(pageMetrics[metric], { listener: 'web', ...(reason !== undefined && { reason }) })
      ]!,
    another: (next) => new WebTunnels(next, environment, maker),
  };
}

function take(tunnels: WebTunnels, connection: string, serverName: string): void {
  tunnels.find(serverName)!.take(connection as unknown as object, FACTS);
}

describe('the tunnels of a layer 7 listener', () => {
  it('lead to the clusters of their server names, and leave other names to the listener', () => {
    const { tunnels, asked } = make();
    take(tunnels, 'a', 'one.db.example');
    take(tunnels, 'b', 'mail.example');
    assert.deepEqual(asked, ['a to db', 'b to mail']);
    for (const name of ['db.example', 'app.example', null]) assert.equal(tunnels.find(name), null);
  });

  it('are refused while the listener is drained, and counted', () => {
    const { tunnels, asked, value } = make();
    tunnels.admits = false;
    take(tunnels, 'a', 'mail.example');
    assert.deepEqual(asked, ['a refused']);
    // The connection was counted as open when it came, which nobody has done here.
    assert.deepEqual([value('connectionsActive'), value('connectionsRejected', 'draining')], [-1, 1]);
    assert.equal(tunnels.find('app.example'), null);
    tunnels.admits = true;
    take(tunnels, 'b', 'mail.example');
    assert.deepEqual(asked, ['a refused', 'b to mail']);
  });

  it("admit clients by the listener's address rules, from the commit on", () => {
    const { tunnels, environment, another } = make();
    const allows = (address: string): boolean => tunnels.admit(address) === null;
    assert.equal(allows('203.0.113.9'), true);
    const denying = { ...listenerWith(DB), access: { ...OPEN, deny: ['203.0.113.0/24'] } };
    const commit = tunnels.prepare(denying, environment);
    assert.equal(allows('203.0.113.9'), true);
    commit();
    assert.deepEqual([allows('203.0.113.9'), allows('198.51.100.7')], [false, true]);
    tunnels.follow(another(listenerWith(DB)));
    assert.equal(allows('203.0.113.9'), true);
  });

  it("release a client's places while the listener is drained", () => {
    const { another, environment } = make();
    const limits = new FakeLimits();
    const tunnels = new WebTunnels(
      listenerWith(MAIL),
      { ...environment, limits: guardsOf(limits) },
      new FakeMaker(),
    );
    another(listenerWith(MAIL)).follow(tunnels);
    const holds = tunnels.admit('198.51.100.7') as ConnectionHolds;
    assert.equal(limits.held, 1);
    tunnels.admits = false;
    tunnels.find('mail.example')!.take({}, { ...FACTS, holds });
    assert.equal(limits.held, 0);
  });

  it("change at the configuration's commit, and keep unchanged contexts", () => {
    const { tunnels, environment } = make();
    const [db, mail] = tunnels.contexts;
    const commit = tunnels.prepare(listenerWith(DB), environment);
    assert.notEqual(tunnels.find('mail.example'), null);
    commit();
    assert.equal(tunnels.find('mail.example'), null);
    assert.deepEqual(tunnels.contexts, [db]);
    assert.deepEqual([tunnels.covers(db!), tunnels.covers(mail!)], [true, false]);
  });

  it("follow the listener's successor", () => {
    const { tunnels, asked, another } = make();
    const successor = another(listenerWith({ ...MAIL, cluster: 'db' }));
    tunnels.follow(successor);
    take(tunnels, 'a', 'mail.example');
    assert.deepEqual(asked, ['a to db']);
    assert.equal(tunnels.find('one.db.example'), null);
    assert.equal(tunnels.contexts, successor.contexts);
    successor.admits = false;
    take(tunnels, 'b', 'mail.example');
    assert.deepEqual(asked, ['a to db', 'b refused']);
  });
});
