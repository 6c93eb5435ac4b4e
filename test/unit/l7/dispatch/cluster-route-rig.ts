/** A route to a cluster whose carrier notes its orders instead of dialling. */
import type { Cluster } from '../../../../src/config/types/cluster.ts';
import type { L7Listener } from '../../../../src/config/types/listener.ts';
import type { ClusterAction, HeaderChanges } from '../../../../src/config/types/route.ts';
import { ClusterRoute } from '../../../../src/l7/dispatch/cluster-route.ts';
import type { ProxyOrder } from '../../../../src/l7/http/proxy-order.ts';
import type { UpgradeOrder } from '../../../../src/l7/websocket/upgrade-order.ts';
import type { Journal } from '../../../../src/telemetry/journal/journal.ts';
import { NO_JOURNAL } from '../../../support/journals.ts';
import { l7Listener } from '../../primary/fixtures/config.ts';
import { clusterConfig } from '../../upstream/endpoints.ts';
import { countedAnswers, routedOf, type FakeExchange } from './exchanges.ts';

const UNCHANGED: HeaderChanges = { set: new Map(), add: new Map(), remove: [] };
const NO_REWRITE = { host: null, stripPrefix: null, path: null };

interface Terms {
  readonly upgrade?: ClusterAction['upgrade'];
  readonly rewrite?: Partial<ClusterAction['rewrite']>;
  readonly listener?: Partial<L7Listener>;
  readonly request?: HeaderChanges;
  readonly journal?: Journal;
}

interface FakeRoute {
  readonly take: (exchange: FakeExchange, groups?: readonly string[], host?: string) => FakeExchange;
  /** What its answers count, in order. */
  readonly counted: readonly string[];
  readonly upgrades: readonly UpgradeOrder[];
  readonly requests: readonly ProxyOrder[];
  /** What its carrier was asked to do, in words. */
  readonly done: readonly string[];
  readonly admission: { draining: boolean };
  readonly cluster: { config: Cluster };
}

export function route({
  upgrade = 'also',
  rewrite = {},
  listener = {},
  request = UNCHANGED,
  journal = NO_JOURNAL,
}: Terms = {}): FakeRoute {
  const { answers, counted } = countedAnswers(journal);
  const upgrades: UpgradeOrder[] = [];
  const requests: ProxyOrder[] = [];
  const done: string[] = [];
  const admission = { draining: false };
  const cluster = { config: clusterConfig() };
  const action: ClusterAction = {
    kind: 'cluster',
    cluster: 'app',
    upgrade,
    rewrite: { ...NO_REWRITE, ...rewrite },
  };
  const headers = { request, response: UNCHANGED };
  const { handle } = new ClusterRoute(
    { ...l7Listener, ...listener },
    { headers },
    action,
    answers,
    admission,
    {
      cluster,
      createUpgrade: (order, reply) => {
        upgrades.push(order);
        return {
          start: () => done.push(`upgrade started, ${reply.http.aborted ? 'client gone' : 'client there'}`),
          clientGone: () => done.push('client gone'),
        };
      },
      createRequest: (order) => {
        requests.push(order);
        return { start: () => done.push('request started') };
      },
    },
  );
  const take = (
    exchange: FakeExchange,
    groups: readonly string[] = [],
    host = 'example.com',
  ): FakeExchange => {
    handle(routedOf(exchange, groups, host));
    return exchange;
  };
  return { take, counted, upgrades, requests, done, admission, cluster };
}
