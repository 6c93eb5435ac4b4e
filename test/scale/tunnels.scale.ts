/** The suites of layer 4 at full size: 1 GiB each way at once, 35,000 tunnels that end in every way. */
import { unsupportedReason } from '../../src/sys/support.ts';
import { describeFlatMemory } from '../conformance/tunnels/churn.ts';
import { net, raw } from '../conformance/tunnels/engines.ts';
import { describeTransfers } from '../conformance/tunnels/transfers.ts';

for (const engine of unsupportedReason() === null ? [raw, net] : [net]) {
  describeTransfers(engine, 1024 ** 3);
  describeFlatMemory(engine);
}
