/** The engines that the layer 4 suites run against. */
import type { TunnelEngine } from './rig.ts';

export const net: TunnelEngine = {
  name: 'net',
  listener: (settings) => ({ engine: 'net', ...settings }),
};

export const raw: TunnelEngine = {
  name: 'raw',
  // TLS towards endpoints is for the other engine, which shares the thread then.
  listener: (settings) => ({ engine: isFor('tls-upstream', settings) ? 'net' : 'raw', ...settings }),
};

function isFor(cluster: string, settings: object): boolean {
  return 'cluster' in settings && settings.cluster === cluster;
}
