import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { bytesOnTheWay, exhaustDescriptors, unreadBytes } from '../../support/processes/process-facts.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import { describeManyTunnels } from './churn.ts';
import { describeControlledTunnels } from './control.ts';
import { describeDialling } from './dialling.ts';
import { net } from './engines.ts';
import { describeTunnelLimits } from './limits.ts';
import { describePrefacedTunnels } from './prefaces.ts';
import { describeResets } from './resets.ts';
import { TunnelRig } from './rig.ts';
import { describeTunnels } from './suite.ts';
import { describeTransfers } from './transfers.ts';

/** At most as much as a socket of Node reads ahead. */
const CHUNK_BYTES = 64 * 1024;
/** Less than the kernel takes for a receiver that does not read. */
const FIRST_BYTES = 1_500_000;

describeTunnels(net);
describeDialling(net);
describeTunnelLimits(net);
describeTransfers(net);
describePrefacedTunnels(net);
describeResets(net);
describeManyTunnels(net);
describeControlledTunnels('net');

describe('the net engine', { skip: process.platform === 'linux' ? false : 'needs prlimit' }, () => {
  let rig: TunnelRig;
  let endpoint: TcpEndpoint;

  before(async () => {
    endpoint = await TcpEndpoint.listen();
    rig = await TunnelRig.start(net, 1, { plain: { endpoints: [endpoint.address] } });
  });
  afterEach(() => rig.clear());
  after(async () => {
    endpoint.close();
    await rig.stop();
  });

  it('outlives that the process has no descriptor left', async () => {
    const { client: healthy, peer } = await rig.join('plain', endpoint);
    const restore = exhaustDescriptors(rig.sluice.pid);
    // Node closes who comes now, or lets them wait.
    const unlucky = await rig.connect('plain');
    unlucky.read().send('too many');
    healthy.read().send('still here');
    await peer.read().receivesText('still here');
    restore();
    const late = await eventually(async () => {
      const client = await rig.connect('plain');
      client.read().send('late');
      const joined = await endpoint.peers.next(1000);
      await joined.read().receivesText('late');
      return joined;
    });
    for (const open of [peer, late]) open.destroy();
    assert.equal(rig.sluice.stderr, '');
  });

  it('forwards a reset after the bytes that it holds for a full receiver', async () => {
    const { client, peer: receiver } = await rig.join('plain', endpoint);
    const { localPort: port, remotePort: proxy } = client.socket;
    const counted = async (): Promise<number> =>
      (await scrape(rig.sluice)).sum('sluice_tunnel_bytes_total', { direction: 'upstream' });
    const before = await counted();
    client.send(Buffer.alloc(FIRST_BYTES));
    let sent = FIRST_BYTES;
    // The proxy's read bytes that it has not counted were read ahead: the receiver has no room.
    for (let readAhead = 0; readAhead === 0; readAhead = sent - (await counted()) + before) {
      client.send(Buffer.alloc(CHUNK_BYTES));
      sent += CHUNK_BYTES;
      const onTheWay = (): number => client.socket.writableLength + bytesOnTheWay(port!, proxy!);
      await eventually(() => assert.equal(onTheWay(), 0), undefined, 1);
    }
    client.reset();
    await eventually(() => assert.equal(unreadBytes(proxy!, port!), null));
    await receiver.read().receives(sent);
    await receiver.closed();
    assert.equal(receiver.received, sent);
  });
});
