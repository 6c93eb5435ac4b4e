import { describeManyTunnels } from './tunnel-churn.ts';
import type { TunnelEngine } from './tunnel-rig.ts';
import { describeTunnels } from './tunnel-suite.ts';

const net: TunnelEngine = { name: 'net', listener: (settings) => ({ engine: 'net', ...settings }) };
describeTunnels(net);
describeManyTunnels(net);
