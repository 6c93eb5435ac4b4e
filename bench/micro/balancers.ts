import type { Endpoint as EndpointConfig } from '../../src/config/types/cluster.ts';
import type { Config } from '../../src/config/types/config.ts';
import { formatAddress } from '../../src/core/address.ts';
import { layoutOf } from '../../src/protocol/stats-layout.ts';
import { StatsPage, allocatePage } from '../../src/telemetry/stats-page.ts';
import type { Balancer } from '../../src/upstream/balancers/balancer.ts';
import type { PickContext } from '../../src/upstream/balancers/balancer.ts';
import { ConsistentHash } from '../../src/upstream/balancers/consistent-hash.ts';
import { LeastConnections } from '../../src/upstream/balancers/least-connections.ts';
import { RandomChoice } from '../../src/upstream/balancers/random-choice.ts';
import { RoundRobin } from '../../src/upstream/balancers/round-robin.ts';
import { SharedCursor, allocateCursor } from '../../src/upstream/balancers/shared-cursor.ts';
import { SourceIp } from '../../src/upstream/balancers/source-ip.ts';
import { TwoChoices } from '../../src/upstream/balancers/two-choices.ts';
import { Endpoint } from '../../src/upstream/endpoint.ts';
import type { MicroCase } from './micro-case.ts';

const WORKERS = ['l7-0', 'l7-1', 'l7-2', 'l7-3'];
const NONE: ReadonlySet<Endpoint> = new Set();
/** More clients than a cache of picks would hold. */
const CLIENTS = Array.from({ length: 1024 }, (_, index): PickContext => {
  const source = `10.${index >> 8}.${index & 255}.7`;
  return { source, hashKey: `user-${index}`, sticky: [] };
});

/** Picks endpoints while four workers count connections. Each pick opens a connection. */
export default function cases(): MicroCase[] {
  return [10, 1000].flatMap((count) => [
    pick('round robin', count, roundRobin),
    pick('round robin of equals', count, roundRobin, () => 1),
    pick('least connections', count, () => new LeastConnections()),
    pick(
      'least connections of equals',
      count,
      () => new LeastConnections(),
      () => 1,
    ),
    pick('random', count, () => new RandomChoice()),
    pick('two choices', count, () => new TwoChoices()),
    pick('source ip', count, () => new SourceIp()),
    pick('consistent hash', count, (endpoints) => {
      const total = (): number => endpoints.length;
      return new ConsistentHash({ bySource: false, loadFactor: 1.25, total });
    }),
  ]);
}

const roundRobin = (): Balancer => new RoundRobin(new SharedCursor(allocateCursor()));

/** Returns one of three weights. */
const threeWeights = (index: number): number => 1 + (index % 3);

function endpointsOf(count: number, weightOf: (index: number) => number): Endpoint[] {
  const configs = Array.from({ length: count }, (_, index): EndpointConfig => ({
    address: { kind: 'tcp', host: '10.0.0.1', port: 9000 + index },
    weight: weightOf(index),
    maxConnections: 0,
  }));
  // The layout reads no other keys of the configuration.
  const config = { listeners: [], clusters: [{ name: 'app', endpoints: configs }] } as unknown as Config;
  const layout = layoutOf(config, WORKERS);
  const pages = WORKERS.map(() => new StatsPage(allocatePage(layout), layout));
  const all = pages.map(({ values }) => values);
  return configs.map(({ address, weight, maxConnections }) => {
    const label = formatAddress(address);
    const known = { label, slot: null, server: address, addresses: [address], weight, maxConnections };
    const state = { ...known, priority: 0, health: 'up' as const, warmLeftMs: 0 };
    return new Endpoint('app', state, pages[0]!, all);
  });
}

function pick(
  name: string,
  count: number,
  create: (endpoints: readonly Endpoint[]) => Balancer,
  weightOf = threeWeights,
): MicroCase {
  const endpoints = endpointsOf(count, weightOf);
  const balancer = create(endpoints);
  balancer.update(endpoints);
  let turn = 0;
  let last: Endpoint | null = null;
  return {
    name: `pick by ${name}, ${count} endpoints`,
    run: () => {
      // Each pick also ends the previous connection: counts change, and the load stays constant.
      last?.release();
      last = balancer.pick(CLIENTS[turn++ & 1023]!, NONE);
      last?.acquire();
      return last;
    },
  };
}
