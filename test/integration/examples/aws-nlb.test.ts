import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { testExample } from '../../support/examples/isolation.ts';
import { get, openSocket, refusedStatus, seenIn, startServer } from '../../support/examples/servers.ts';
import { addAddresses, runExample, type RunningExample } from '../../support/examples/stage.ts';
import { HAProxy, haproxyVersion } from '../../support/processes/haproxy.ts';

const CLIENT = '203.0.113.7';

testExample(import.meta.filename, 'aws-nlb', () => {
  const skip = haproxyVersion() === null ? 'HAProxy is not installed' : false;
  let balancer: HAProxy | undefined;
  let sluice: RunningExample;

  before(async () => {
    addAddresses('10.0.1.11', '10.0.1.12', '10.0.2.1', CLIENT);
    for (const host of ['10.0.1.11', '10.0.1.12']) await startServer(host, 3000);
    sluice = await runExample();
    if (skip !== false) return;
    // HAProxy writes the same header as the load balancer.
    const server = 'server sluice 127.0.0.1:8080 source 10.0.2.1 send-proxy-v2';
    balancer = await HAProxy.start((listen) => `listen nlb\n  mode tcp\n  bind ${listen}\n  ${server}`);
  });
  after(async () => {
    await balancer?.stop();
    await sluice.stop();
  });

  it('tells the servers the address of the client', { skip }, async () => {
    const { socket, seen } = await openSocket(`ws://${balancer!.address}/`, { localAddress: CLIENT });
    assert.equal(seen.headers['x-forwarded-for'], CLIENT);
    socket.terminate();
    const answer = seenIn(await get(`http://${balancer!.address}/`, { localAddress: CLIENT }));
    assert.equal(answer.headers['x-forwarded-for'], CLIENT);
  });

  it('refuses clients that do not come through the load balancer', async () => {
    await assert.rejects(refusedStatus('ws://127.0.0.1:8080/'), /ECONNRESET|socket hang up/);
  });

  it('answers the health check of the target group', async () => {
    assert.equal((await get('http://127.0.0.1:9480/readyz')).status, 200);
  });
});
