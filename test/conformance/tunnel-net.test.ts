import { describeManyTunnels } from './tunnel-churn.ts';
import { describeControlledTunnels } from './tunnel-control.ts';
import { net } from './tunnel-engines.ts';
import { describeTunnels } from './tunnel-suite.ts';
import { describeTransfers } from './tunnel-transfers.ts';

describeTunnels(net);
describeTransfers(net);
describeManyTunnels(net);
describeControlledTunnels('net');
