import type { Config, Endpoint as EndpointConfig } from '../../src/config/types.ts';
import { layoutOf } from '../../src/protocol/stats-layout.ts';
import { StatsPage, allocatePage } from '../../src/telemetry/stats-page.ts';
import type { Balancer } from '../../src/upstream/balancer.ts';
import { LeastConnections } from '../../src/upstream/balancers/least-connections.ts';
import { RoundRobin } from '../../src/upstream/balancers/round-robin.ts';
import { Endpoint } from '../../src/upstream/endpoint.ts';
import type { MicroCase } from './micro-case.ts';

const WORKERS = ['l7-0', 'l7-1', 'l7-2', 'l7-3'];
const NONE: ReadonlySet<Endpoint> = new Set();

/** Choosing an endpoint, with four workers that count connections. */
export default function cases(): MicroCase[] {
  return [3, 100].flatMap((count) => [
    pick('round robin', count, new RoundRobin(endpointsOf(count))),
    pick('least connections', count, new LeastConnections(endpointsOf(count))),
  ]);
}

function endpointsOf(count: number): Endpoint[] {
  const endpoints = Array.from({ length: count }, (_, index): EndpointConfig => ({
    address: { kind: 'tcp', host: '10.0.0.1', port: 9000 + index },
    weight: 1 + (index % 3),
  }));
  // Of a configuration the layout looks at nothing else.
  const config = { listeners: [], clusters: [{ name: 'app', endpoints }] } as unknown as Config;
  const layout = layoutOf(config, WORKERS);
  const pages = WORKERS.map(() => new StatsPage(allocatePage(layout), layout));
  const all = pages.map(({ values }) => values);
  return endpoints.map((endpoint) => new Endpoint('app', endpoint, pages[0]!, all));
}

function pick(name: string, count: number, balancer: Balancer): MicroCase {
  return { name: `pick by ${name}, ${count} endpoints`, run: () => balancer.pick(NONE) };
}
