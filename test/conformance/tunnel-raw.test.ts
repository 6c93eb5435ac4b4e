import { describeManyTunnels } from './tunnel-churn.ts';
import type { TunnelEngine } from './tunnel-rig.ts';
import { describeTunnels } from './tunnel-suite.ts';

const raw: TunnelEngine = {
  name: 'raw',
  // TLS towards endpoints is for the other engine, which shares the thread then.
  listener: (settings) => ({ engine: isFor('tls-upstream', settings) ? 'net' : 'raw', ...settings }),
};
describeTunnels(raw);
describeManyTunnels(raw);

function isFor(cluster: string, settings: object): boolean {
  return 'cluster' in settings && settings.cluster === cluster;
}
