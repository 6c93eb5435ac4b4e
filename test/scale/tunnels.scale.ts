/** The suites of layer 4 at full size: 1 GiB each way at once, 35,000 tunnels that end in every way. */
import { unsupportedReason } from '../../src/sys/support.ts';
import { describeFlatMemory } from '../conformance/tunnel-churn.ts';
import { net, raw } from '../conformance/tunnel-engines.ts';
import { describeTransfers } from '../conformance/tunnel-transfers.ts';

for (const engine of unsupportedReason() === null ? [raw, net] : [net]) {
  describeTransfers(engine, 1024 ** 3);
  describeFlatMemory(engine);
}
