import assert from 'node:assert/strict';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { after, afterEach, before, describe, it } from 'node:test';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { eventually, within } from '../../support/deadline.ts';
import { scrape } from '../../support/http/metrics.ts';
import { exhaustDescriptors } from '../../support/processes/process-facts.ts';
import type { LogLine } from '../../support/processes/sluice-process.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import { describeManyTunnels } from './churn.ts';
import { describeControlledTunnels } from './control.ts';
import { describeDialling } from './dialling.ts';
import { raw } from './engines.ts';
import { describeTunnelLimits } from './limits.ts';
import { describePrefacedTunnels } from './prefaces.ts';
import { describeResets } from './resets.ts';
import { TunnelRig } from './rig.ts';
import { describeTunnels } from './suite.ts';
import { describeTransfers } from './transfers.ts';

const unsupported = unsupportedReason();

if (unsupported === null) {
  describeTunnels(raw);
  describeDialling(raw);
  describeTunnelLimits(raw);
  describeTransfers(raw);
  describePrefacedTunnels(raw);
  describeResets(raw);
  describeManyTunnels(raw);
  describeControlledTunnels('raw');
}

describe('the raw engine', { skip: unsupported ?? false, timeout: 300_000 }, () => {
  let rig: TunnelRig;
  let endpoint: TcpEndpoint;
  let hasty: TcpEndpoint;

  before(async () => {
    endpoint = await TcpEndpoint.listen();
    // Answers without having read, so that closing resets the connection behind the answer.
    hasty = await TcpEndpoint.listen(undefined, (peer) => {
      peer.socket.write('too large', () => setTimeout(() => peer.destroy(), 50));
    });
    rig = await TunnelRig.start({ name: 'auto', listener: (settings) => settings }, 1, {
      plain: { endpoints: [endpoint.address] },
      hasty: { endpoints: [hasty.address] },
      'by-name': { endpoints: [endpoint.address.replace('127.0.0.1', 'localhost')] },
    });
  });
  afterEach(() => rig.clear());
  after(async () => {
    endpoint.close();
    hasty.close();
    await rig.stop();
  });

  it('is the choice of auto if it is available, as status and metrics report', async () => {
    const body = new Promise<string>((settle, fail) => {
      get(`http://${rig.sluice.admin}/status`, { agent: false }, (response) => {
        text(response).then(settle, fail);
      }).once('error', fail);
    });
    const { listeners } = JSON.parse(await within('the status', body)) as {
      listeners: { engine?: string }[];
    };
    assert.deepEqual(
      listeners.map(({ engine }) => engine),
      ['raw', 'raw', 'raw'],
    );
    assert.equal((await scrape(rig.sluice)).sum('sluice_build_info', { engine: 'raw' }), 1);
  });

  it('reaches an endpoint by its host name', async () => {
    const { client, peer } = await rig.join('by-name', endpoint);
    client.read().send('by name');
    await peer.read().receivesText('by name');
    peer.destroy();
  });

  it('delivers the answer of an endpoint that resets the connection right after it', async () => {
    for (let round = 0; round < 5; round++) {
      const client = await rig.connect('hasty');
      client.flood(1024 ** 3);
      await client.read().receivesText('too large');
      assert.match(await client.closed(), /^(?:ECONNRESET|EPIPE)$/);
    }
  });

  it('stops accepting while the process has no free descriptor, and accepts again afterwards', async () => {
    const { pid } = rig.sluice;
    const { client: healthy, peer } = await rig.join('plain', endpoint);
    const restore = exhaustDescriptors(pid);
    const client = await rig.connect('plain');
    await rig.sluice.waitForLog(({ msg, reason }) => msg === 'accept failed' && reason === 'process_limit');
    healthy.read().send('still here');
    await peer.read().receivesText('still here');
    restore();
    client.read().send('late');
    const late = await endpoint.peers.next();
    await late.read().receivesText('late');
    const failures = (await scrape(rig.sluice)).sum('sluice_accept_failures_total', {
      listener: 'plain',
      reason: 'process_limit',
    });
    // It rests between its tries.
    assert.ok(failures >= 1 && failures < 200, `${failures} failures`);
    const isFailure = ({ msg }: LogLine): boolean => msg === 'accept failed';
    await rig.sluice.waitForLog(isFailure);
    assert.equal(rig.sluice.logs.filter(isFailure).length, 1);
    for (const open of [peer, late]) open.destroy();
  });

  it('is idle while its tunnels are, and says so', async () => {
    const { peer } = await rig.join('plain', endpoint);
    await eventually(async () => {
      const metrics = await scrape(rig.sluice);
      const worker = { worker: 'l4-0' };
      const utilization = metrics.sum('sluice_worker_event_loop_utilization', worker);
      const lag = metrics.sum('sluice_worker_event_loop_lag_seconds', worker);
      assert.ok(utilization < 0.2, `busy for ${utilization} of the time`);
      assert.ok(lag < 0.1, `${lag} s late`);
    });
    peer.destroy();
  });
});
