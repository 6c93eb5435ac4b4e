import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually, within } from '../support/deadline.ts';
import { descriptors } from '../support/process-facts.ts';
import { RawConnection, switchingProtocols, upgradeRequest } from '../support/raw-connection.ts';
import { RawEndpoint } from '../support/raw-endpoint.ts';
import { CLOSE, TEXT, closeBody, encodeFrame } from '../support/raw-frames.ts';
import { WebRig } from '../support/web-rig.ts';
import { WsPeer } from '../support/ws-peer.ts';

const CYCLES = 2000;
const AT_ONCE = 40;
const LIMIT = 5;
const MASK = Buffer.from([1, 2, 3, 4]);

/** What happens to a connection; each is a path of its own through the proxy. */
const KINDS = [
  'client closes',
  'endpoint closes',
  'client vanishes',
  'endpoint vanishes',
  'client gives up',
  'client gives up at once',
  'endpoint refuses',
] as const;
type Kind = (typeof KINDS)[number];

describe('many short WebSockets', () => {
  let raw: RawEndpoint;
  let rig: WebRig;
  const hello = encodeFrame(TEXT, 'hello').toString('latin1');
  /** What to call when the request of that number has reached the endpoint. */
  const asked = new Map<string, () => void>();

  before(async () => {
    raw = await RawEndpoint.listen(playEndpoint);
    rig = await WebRig.start({
      workers: { l7: 2 },
      log: { access: false },
      listeners: { web: {}, few: { maxConnections: LIMIT } },
      clusters: { raw: { endpoints: [raw.address] } },
    });
  });
  after(async () => {
    raw.close();
    await rig.stop();
  });

  /** Plays the endpoint of a connection, by what the path of its request says. */
  async function playEndpoint(connection: RawConnection): Promise<void> {
    const head = await connection.head().catch(() => null);
    // The client had given up before the request was on its way.
    if (head === null) return;
    const [, kind = '', id = ''] = /^GET \/([^/]+)\/(\d+) /.exec(head.startLine) ?? [];
    asked.get(id)?.();
    switch (decodeURIComponent(kind) as Kind) {
      case 'client gives up':
      case 'client gives up at once':
        break;
      case 'endpoint refuses':
        connection.write('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
        break;
      case 'endpoint closes':
        connection.write(`${switchingProtocols(head)}${hello}`);
        connection.write(encodeFrame(CLOSE, closeBody(1000)));
        break;
      case 'endpoint vanishes':
        connection.write(`${switchingProtocols(head)}${hello}`);
        connection.socket.end();
        break;
      case 'client closes':
      case 'client vanishes':
        connection.write(`${switchingProtocols(head)}${hello}`);
        assert.equal((await connection.frame()).opcode, CLOSE);
        connection.socket.end();
    }
    await within('the end of the connection to the endpoint', connection.closed);
    connection.socket.end();
  }

  async function playClient(kind: Kind, id: string): Promise<void> {
    const requestArrived = new Promise<void>((settle) => asked.set(id, settle));
    const client = await RawConnection.connect(rig.address('web'));
    client.write(upgradeRequest('app.example', [], `/${encodeURIComponent(kind)}/${id}`));
    if (kind === 'client gives up') await within('the request at the endpoint', requestArrived);
    if (kind.startsWith('client gives up')) {
      client.destroy();
      return;
    }
    const { startLine } = await client.head();
    if (kind === 'endpoint refuses') {
      assert.match(startLine, / 403 /);
      client.destroy();
      return;
    }
    assert.match(startLine, / 101 /);
    assert.equal((await client.frame()).payload.toString(), 'hello');
    if (kind === 'client vanishes') {
      client.destroy();
      return;
    }
    if (kind === 'client closes') client.write(encodeFrame(CLOSE, closeBody(1000), { mask: MASK }));
    const close = await client.frame();
    assert.equal(close.opcode, CLOSE);
    assert.equal(close.payload.readUInt16BE(0), kind === 'endpoint vanishes' ? 1011 : 1000);
    if (kind !== 'client closes') client.write(encodeFrame(CLOSE, closeBody(1000), { mask: MASK }));
    client.socket.end();
    await within('the end of the connection to the client', client.closed);
  }

  /** Every kind in turn, so many connections at once. */
  async function play(cycles: number): Promise<void> {
    let next = 0;
    const players = Array.from({ length: AT_ONCE }, async () => {
      while (next < cycles) {
        const id = next++;
        await playClient(KINDS[id % KINDS.length]!, String(id));
      }
    });
    await Promise.all(players);
    asked.clear();
  }

  it('leave no descriptor, session or connection behind, however they end', async () => {
    await play(2 * KINDS.length * AT_ONCE);
    await rig.settled();
    const before = { descriptors: descriptors(rig.sluice.pid), metrics: await rig.scrape() };
    await play(CYCLES);
    await rig.settled();
    await eventually(() => assert.equal(descriptors(rig.sluice.pid), before.descriptors));
    assert.deepEqual(raw.failures, []);

    const metrics = await rig.scrape();
    const rise = (name: string, labels: Readonly<Record<string, string>> = {}): number =>
      metrics.sum(name, labels) - before.metrics.sum(name, labels);
    const of = (...kinds: Kind[]): number =>
      Array.from({ length: CYCLES }, (_, id) => KINDS[id % KINDS.length]!).filter((kind) =>
        kinds.includes(kind),
      ).length;
    assert.equal(rise('sluice_connections_total'), CYCLES);
    const sessions = of('client closes', 'client vanishes', 'endpoint closes', 'endpoint vanishes');
    assert.equal(rise('sluice_ws_sessions_total'), sessions);
    assert.equal(rise('sluice_ws_handshake_duration_seconds_count'), sessions);
    assert.equal(rise('sluice_ws_session_duration_seconds_count'), sessions);
    assert.equal(rise('sluice_ws_closes_total', { side: 'endpoint', code: '1006' }), of('endpoint vanishes'));
    assert.equal(rise('sluice_ws_closes_total', { side: 'client', code: '1006' }), of('client vanishes'));
    assert.equal(rise('sluice_ws_closes_total', { side: 'endpoint', code: '1000' }), of('endpoint closes'));
    assert.equal(rise('sluice_ws_closes_total', { side: 'client', code: '1000' }), of('client closes'));
    assert.equal(rise('sluice_ws_handshake_failures_total', { reason: 'refused' }), of('endpoint refuses'));
    const gone = rise('sluice_ws_handshake_failures_total', { reason: 'client_gone' });
    assert.ok(gone >= of('client gives up') && gone <= of('client gives up', 'client gives up at once'));
  });

  it('make room for others under a limit of connections when they end', async () => {
    const connect = (): Promise<WsPeer> =>
      WsPeer.connect(`ws://${rig.address('few')}/${encodeURIComponent('client closes')}/0`);
    for (let round = 0; round < 3; round++) {
      const clients: WsPeer[] = [];
      while (clients.length < LIMIT) clients.push(await eventually(connect));
      await assert.rejects(connect(), /socket hang up|ECONNRESET/);
      for (const client of clients) client.socket.close();
      await Promise.all(clients.map((client) => client.closed()));
    }
    const metrics = await rig.scrape();
    assert.ok(metrics.sum('sluice_connections_rejected_total', { listener: 'few', reason: 'limit' }) >= 3);
    await rig.settled();
  });
});
