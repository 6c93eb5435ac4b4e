import assert from 'node:assert/strict';
import { after, afterEach, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { bytesOnTheWay, exhaustDescriptors, unreadBytes } from '../../support/processes/process-facts.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import { describeManyTunnels } from './churn.ts';
import { describeControlledTunnels } from './control.ts';
import { describeDialling } from './dialling.ts';
import { net } from './engines.ts';
import { describeTunnelLimits } from './limits.ts';
import { describeResets } from './resets.ts';
import { TunnelRig } from './rig.ts';
import { describeTunnels } from './suite.ts';
import { describeTransfers } from './transfers.ts';

const CHUNK_BYTES = 16 * 1024;
/** A chunk while the kernel takes all: the proxy can hold it. */
const LARGE_CHUNK_BYTES = 64 * 1024;
/** Less than the kernel takes for a receiver that does not read. */
const FIRST_BYTES = 1_500_000;
/** A socket of Node has 64 KiB to write before it says that this is too much, and then reads as much ahead. */
const READ_AHEAD_BYTES = 64 * 1024 + 1.5 * CHUNK_BYTES;

describeTunnels(net);
describeDialling(net);
describeTunnelLimits(net);
describeTransfers(net);
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

  it('passes a reset on behind what it has read and the receiver has no room for', async () => {
    const { client, peer: receiver } = await rig.join('plain', endpoint);
    const { localPort: port, remotePort: proxy } = client.socket;
    const { localPort: end, remotePort: proxyEnd } = receiver.socket;
    let sent = FIRST_BYTES;
    client.send(Buffer.alloc(FIRST_BYTES));
    for (let inProxy = 0; inProxy < READ_AHEAD_BYTES;) {
      const chunk = Buffer.alloc(inProxy === 0 ? LARGE_CHUNK_BYTES : CHUNK_BYTES);
      client.send(chunk);
      sent += chunk.length;
      const onTheWay = (): number => client.socket.writableLength + bytesOnTheWay(port!, proxy!);
      await eventually(() => assert.equal(onTheWay(), 0), undefined, 1);
      inProxy = sent - bytesOnTheWay(proxyEnd!, end!);
    }
    client.reset();
    await eventually(() => assert.equal(unreadBytes(proxy!, port!), null));
    await receiver.read().receives(sent);
    await receiver.closed();
    assert.equal(receiver.received, sent);
  });
});
