/** Records of sessions and tunnels in a tap, on every engine. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { ENGINES, TLS_ENGINES, isOwnEngine, usesTls, withoutTls } from '../../support/engines.ts';
import { TapStream, type RecordOf } from '../../support/recording/tap-stream.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { WsEndpoint, type WsPeer } from '../../support/websocket/ws-peer.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
/** Listeners of layer 7, by their engines. */
const WEBS = [...ENGINES, ...TLS_ENGINES, ...(ENGINES.includes('uws') ? (['uws-tls'] as const) : [])];
/** Listeners of layer 4. */
const TUNNELS = ENGINES.filter(isOwnEngine);
const BINARY = Buffer.from(Array.from({ length: 300 }, (_, index) => index & 255));

type Told = Pick<RecordOf<'frame'>, 'from' | 'opcode' | 'length' | 'fin' | 'code' | 'text'>;

describe('a tap', { timeout: 300_000 }, () => {
  const authority = new CertificateAuthority();
  let endpoint: WsEndpoint;
  let rig: WebRig;

  before(async () => {
    endpoint = await WsEndpoint.listen();
    const { cert, key } = authority.issue('localhost', ['DNS:localhost']);
    const tls = { tls: { certificates: [{ cert, key }] } };
    rig = await WebRig.start({
      workers: { l7: 2, l4: 2 },
      admin: { token: TOKEN, tap: 'payload' },
      listeners: Object.fromEntries([
        ...WEBS.map((name) => [
          `web-${name}`,
          { engine: name === 'uws-tls' ? 'uws' : withoutTls(name), ...(isTls(name) ? tls : {}) },
        ]),
        ...TUNNELS.map((name) => [
          `tcp-${name}`,
          { mode: 'l4', engine: name, cluster: 'app', routes: undefined },
        ]),
      ]) as Record<string, object>,
      clusters: { app: { endpoints: [endpoint.address] } },
    });
  });
  after(async () => {
    endpoint.close();
    authority.remove();
    await rig.stop();
  });

  const open = (parameters: Record<string, string>): Promise<TapStream> =>
    TapStream.open(rig.sluice.admin, parameters, { token: TOKEN });

  const join = (listener: string): Promise<{ client: WsPeer; endpoint: WsPeer }> =>
    rig.join(endpoint, {
      listener,
      ...(listener.endsWith('-tls') ? { scheme: 'wss', ca: authority.pem, servername: 'localhost' } : {}),
    });

  for (const engine of WEBS) {
    const listener = `web-${engine}`;
    const isWhole = engine.startsWith('uws');

    it(`shows the frames and the end of a new session on ${engine}`, async () => {
      const tap = await open({ listener, payload: 'true' });
      const { client, endpoint: peer } = await join(listener);
      await talk(client, peer);
      const end = await tap.next('end');
      await tap.close();
      const [session] = tap.of('session');
      assert.equal(tap.of('session').length, 1);
      assert.equal(session!.listener, listener);
      assert.deepEqual(
        [session!.cluster, session!.endpoint, session!.client],
        ['app', endpoint.address, '127.0.0.1'],
      );
      assert.equal(session!.request?.target, '/');
      assert.equal(session!.attached, undefined);
      const fragments: Told[] = [
        { from: 'client', opcode: 'text', fin: false, length: 4 },
        { from: 'client', opcode: 'continuation', length: 5, text: 'in parts' },
      ];
      // An engine that hides frames reports whole messages.
      const message: Told[] = [{ from: 'client', opcode: 'text', length: 9, text: 'in parts.' }];
      assert.deepEqual(dataOf(tap, 'client'), [
        { from: 'client', opcode: 'text', length: 12, text: 'grüße 👋' },
        { from: 'client', opcode: 'binary', length: 300 },
        ...(isWhole
          ? message
          : fragments.map((told) => ('text' in told ? { ...told, text: 'in parts.' } : told))),
      ]);
      assert.deepEqual(dataOf(tap, 'endpoint'), [
        { from: 'endpoint', opcode: 'text', length: 12, text: 'grüße 👋' },
        { from: 'endpoint', opcode: 'binary', length: 300 },
        { from: 'endpoint', opcode: 'text', length: 9, text: 'in parts.' },
      ]);
      const [binary] = tap.of('frame').filter(({ opcode }) => opcode === 'binary');
      assert.deepEqual(Buffer.from(binary!.base64!, 'base64'), BINARY);
      const close = tap.of('frame').find(({ opcode, from }) => opcode === 'close' && from === 'client');
      assert.deepEqual([close?.code, close?.text], [4001, 'bye']);
      assert.deepEqual([end.side, end.code], ['client', 4001]);
      assert.deepEqual([end.messagesUpstream, end.messagesDownstream], [3, 3]);
      assert.equal(
        new Set(tap.records.flatMap((record) => ('session' in record ? [record.session] : []))).size,
        1,
      );
      assert.deepEqual(tap.of('lost'), []);
    });

    it(`attaches to an open session on ${engine}, and detaches when the tap ends`, async () => {
      const { client, endpoint: peer } = await join(listener);
      client.socket.send('before');
      assert.equal((await peer.messages.next()).data.toString(), 'before');
      const tap = await open({ listener, payload: 'true' });
      const session = await tap.next('session');
      assert.equal(session.attached, true);
      assert.equal(session.request, undefined);
      client.socket.send('behind');
      assert.equal((await peer.messages.next()).data.toString(), 'behind');
      const frame = await tap.next('frame');
      assert.deepEqual([frame.from, frame.opcode, frame.text], ['client', 'text', 'behind']);
      await tap.close();
      client.socket.send('unseen');
      assert.equal((await peer.messages.next()).data.toString(), 'unseen');
      assert.ok(!tap.raw.includes('before') && !tap.raw.includes('unseen'));
      client.socket.close(1000);
      await client.closed();
    });
  }

  for (const engine of TUNNELS) {
    it(`shows the bytes of new and open tunnels on ${engine}`, async () => {
      const listener = `tcp-${engine}`;
      const first = await join(listener);
      const tap = await open({ listener });
      const attached = await tap.next('tunnel');
      assert.equal(attached.attached, true);
      assert.deepEqual([attached.cluster, attached.endpoint], ['app', endpoint.address]);
      first.client.socket.send('x'.repeat(100));
      await first.endpoint.messages.next();
      const bytes = await tap.next('bytes');
      assert.deepEqual([bytes.session, bytes.from, bytes.length], [attached.session, 'client', 106]);
      first.endpoint.socket.send('y'.repeat(50));
      await tap.next('bytes', ({ from, length }) => from === 'endpoint' && length === 52);

      const second = await join(listener);
      const opened = await tap.next('tunnel', ({ session }) => session !== attached.session);
      assert.equal(opened.attached, undefined);
      second.client.socket.close(1000);
      await second.client.closed();
      const end = await tap.next('end');
      assert.equal(end.session, opened.session);
      const seen = (from: string): number =>
        tap
          .of('bytes')
          .filter((record) => record.session === opened.session && record.from === from)
          .reduce((sum, { length }) => sum + length, 0);
      assert.deepEqual([seen('client'), seen('endpoint')], [end.bytesUpstream, end.bytesDownstream]);
      first.client.socket.terminate();
      await tap.close();
      assert.deepEqual(tap.of('lost'), []);
    });
  }
});

function isTls(name: (typeof WEBS)[number]): boolean {
  return name === 'uws-tls' || usesTls(name);
}

/** Sends three messages that the peer echoes, pings, and closes. */
async function talk(client: WsPeer, peer: WsPeer): Promise<void> {
  peer.socket.on('message', (data, binary) => peer.socket.send(data as Buffer, { binary }));
  client.socket.send('grüße 👋');
  await client.messages.next();
  client.socket.send(BINARY);
  await client.messages.next();
  client.socket.send('in p', { fin: false });
  client.socket.send('arts.');
  await client.messages.next();
  client.socket.ping('are you there?');
  await client.pongs.next();
  client.socket.close(4001, 'bye');
  await client.closed();
}

function dataOf(tap: TapStream, side: string): Told[] {
  return tap
    .of('frame')
    .filter(({ from, opcode }) => from === side && ['text', 'binary', 'continuation'].includes(opcode))
    .map(({ from, opcode, length, fin, text }) => ({
      from,
      opcode,
      length,
      ...(fin === undefined ? {} : { fin }),
      ...(text === undefined ? {} : { text }),
    }));
}
