import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { ENGINES, type EngineName } from '../../support/engines.ts';
import { descriptors } from '../../support/processes/process-facts.ts';
import { SessionChurn, type Kind } from '../../support/rigs/session-churn.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';

const CYCLES = 2000;
const LIMIT = 5;

for (const engine of ENGINES) describe(`many short WebSockets on ${engine}`, () => churnOn(engine));

function churnOn(engine: EngineName): void {
  let churn: SessionChurn;
  let rig: WebRig;

  before(async () => {
    churn = await SessionChurn.listen();
    rig = await WebRig.start({
      workers: { l7: 2 },
      log: { access: false },
      listeners: { web: { engine }, few: { engine, maxConnections: LIMIT } },
      clusters: { raw: { retries: 0, endpoints: [churn.endpoint.address] } },
    });
  });
  after(async () => {
    churn.endpoint.close();
    await rig.stop();
  });

  it('leave no descriptor, session or connection behind, however they end', async () => {
    await churn.play(rig.address('web'), 400);
    const before = { metrics: await rig.settled(), descriptors: descriptors(rig.sluice.pid) };
    await churn.play(rig.address('web'), CYCLES);
    const metrics = await rig.settled();
    // The scrape before may have had a connection that was still closing.
    await eventually(() => assert.ok(descriptors(rig.sluice.pid) <= before.descriptors));
    assert.deepEqual(churn.endpoint.failures, []);

    const rise = (name: string, labels: Readonly<Record<string, string>> = {}): number =>
      metrics.sum(name, labels) - before.metrics.sum(name, labels);
    const of = (...kinds: Kind[]): number => SessionChurn.count(CYCLES, (kind) => kinds.includes(kind));
    assert.equal(rise('sluice_connections_total'), CYCLES);
    const sessions = SessionChurn.opened(CYCLES);
    assert.equal(rise('sluice_ws_sessions_total'), sessions);
    assert.equal(rise('sluice_ws_handshake_duration_seconds_count'), sessions);
    assert.equal(rise('sluice_ws_session_duration_seconds_count'), sessions);
    for (const [side, code, kinds] of [
      ['endpoint', '1006', ['endpoint vanishes', 'endpoint resets', 'endpoint vanishes in a frame']],
      ['endpoint', '1002', ['endpoint breaks the protocol']],
      ['endpoint', '1000', ['endpoint closes']],
      ['client', '1006', ['client vanishes', 'client resets', 'client vanishes in a frame']],
      ['client', '1000', ['client closes']],
    ] as const) {
      assert.equal(rise('sluice_ws_closes_total', { side, code }), of(...kinds), `${side} ${code}`);
    }
    const failed = (reason: string): number => rise('sluice_ws_handshake_failures_total', { reason });
    assert.equal(failed('refused'), of('endpoint refuses'));
    assert.equal(failed('bad_response'), of('endpoint answers wrongly'));
    assert.equal(failed('reset'), of('endpoint hangs up', 'endpoint resets the request'));
    const gone = failed('client_gone');
    const certain = of('client gives up', 'client resets its request');
    assert.ok(gone >= certain && gone <= certain + of('client gives up at once'), `${gone} have gone`);
  });

  it('make room for others under a limit of connections when they end', async () => {
    const connect = (): Promise<WsPeer> =>
      WsPeer.connect(`ws://${rig.address('few')}/${encodeURIComponent('client closes')}/0`);
    for (let round = 0; round < 3; round++) {
      const clients: WsPeer[] = [];
      while (clients.length < LIMIT) clients.push(await eventually(connect));
      await assert.rejects(connect(), /socket hang up|ECONNRESET|EPIPE/);
      for (const client of clients) client.socket.close();
      await Promise.all(clients.map((client) => client.closed()));
    }
    const metrics = await rig.settled();
    assert.ok(metrics.sum('sluice_connections_rejected_total', { listener: 'few', reason: 'limit' }) >= 3);
  });
}
