import { describeManyTunnels } from './tunnel-churn.ts';
import { describeControlledTunnels } from './tunnel-control.ts';
import type { TunnelEngine } from './tunnel-rig.ts';
import { scale } from './tunnel-scale.ts';
import { describeTunnels } from './tunnel-suite.ts';

const net: TunnelEngine = { name: 'net', listener: (settings) => ({ engine: 'net', ...settings }) };
describeTunnels(net, scale.bytesEachWay);
describeManyTunnels(net, scale.cycles);
describeControlledTunnels('net');
