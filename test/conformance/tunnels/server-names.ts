/** Tunnels that are chosen by the server name of a ClientHello, as a suite for the engines of both layers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { codeOf } from '../../../src/core/errors.ts';
import { unsupportedReason } from '../../../src/sys/support.ts';
import { UNRECOGNIZED_NAME } from '../../../src/wire/tls/client-hello.ts';
import { eventually } from '../../support/deadline.ts';
import { descriptors } from '../../support/processes/process-facts.ts';
import type { TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { NODE } from '../../support/tls/captured-hellos.ts';
import { clientHello } from '../../support/tls/hello-building.ts';
import { CAPTURED, ServerNamesRig, digestOf, endOf, helloFor, type TunnelDoor } from './server-names-rig.ts';

const POSTGRES_TLS = Buffer.from('0000000804d2162f', 'hex');
const BEHIND_THE_HELLO = 'the next record';
/** Clients that leave, two a round. */
const ROUNDS = 120;
/** Time in which a segment reaches the proxy. A test does not fail if it takes longer. */
const SEGMENT_MS = 5;

export function describeServerNames(door: TunnelDoor): void {
  const { layer, engine } = door;
  const title = `tunnels by server name of the ${engine} engine at layer ${layer.slice(1)}`;
  describe(title, { timeout: 300_000 }, () => {
    const linuxOnly = process.platform === 'linux' ? false : 'needs /proc';
    let rig: ServerNamesRig;

    before(async () => {
      rig = await ServerNamesRig.start(door);
    });
    afterEach(() => rig.clear());
    after(() => rig.stop());

    it('forwards a hello unchanged, wherever it is cut', async () => {
      const cuts = [1, 5, 6, 11, 42, 43, NODE.indexOf(CAPTURED), NODE.indexOf(CAPTURED) + 3, NODE.length - 1];
      const expected = digestOf(NODE, BEHIND_THE_HELLO);
      for (const cut of cuts) {
        const client = await rig.connect();
        client.send(NODE.subarray(0, cut));
        await setTimeout(SEGMENT_MS);
        client.send(NODE.subarray(cut));
        client.send(BEHIND_THE_HELLO);
        const peer = await rig.db.peers.next();
        const length = NODE.length + BEHIND_THE_HELLO.length;
        assert.equal(await peer.read().receives(length), expected, `cut at ${cut}`);
        peer.send('answer');
        await client.read().receivesText('answer');
        client.destroy();
        peer.destroy();
      }
    });

    it('forwards a hello that arrives byte by byte, and the FIN after it', async () => {
      const hello = helloFor('x.db.example.com');
      const client = await rig.connect();
      for (const byte of hello) {
        client.send(Buffer.of(byte));
        await setTimeout(1);
      }
      client.end();
      const peer = await rig.db.peers.next();
      assert.equal(await peer.read().receives(hello.length), digestOf(hello));
      await peer.ended();
      peer.send('answer');
      peer.end();
      await client.read().receivesText('answer');
      assert.equal(await client.closed(), '');
    });

    it('hands large amounts over in both directions', async () => {
      const { client, peer } = await rig.join(NODE, rig.db);
      const hash = createHash('sha256').update(NODE);
      const chunk = Buffer.alloc(64 * 1024, 'chunk');
      for (let sent = 0; sent < 32; sent++) {
        client.send(chunk);
        hash.update(chunk);
      }
      peer.read();
      assert.equal(await peer.receives(NODE.length + 32 * chunk.length), hash.digest('hex'));
      const digest = await Promise.all([peer.sendRandom(2 ** 21), client.read().receives(2 ** 21)]);
      assert.equal(digest[0], digest[1]);
    });

    it("asks the endpoint for TLS as PostgreSQL's clients do, and waits for its answer", async () => {
      const client = await rig.connect();
      client.read().send(POSTGRES_TLS);
      await client.receivesText('S');
      client.send(NODE);
      const peer = await rig.db.peers.next();
      assert.equal(await peer.read().receives(POSTGRES_TLS.length), digestOf(POSTGRES_TLS));
      assert.equal(peer.received, POSTGRES_TLS.length, 'the hello waits');
      peer.send('S');
      assert.equal(await peer.receives(POSTGRES_TLS.length + NODE.length), digestOf(POSTGRES_TLS, NODE));
      peer.send('answer');
      await client.receivesText('Sanswer');
      client.destroy();
      peer.destroy();
    });

    it('ends both sides if the endpoint declines TLS', async () => {
      const before = await rig.closed('tls_refused');
      for (const decline of [
        (peer: TcpPeer) => peer.send('N'),
        (peer: TcpPeer) => peer.end(),
        (peer: TcpPeer) => peer.send('HTTP/1.1 400 Bad Request'),
        (peer: TcpPeer) => peer.send('S and more'),
        // No answer within the cluster's connectTimeout.
        () => undefined,
      ]) {
        const client = await rig.connect();
        client.read().send(POSTGRES_TLS);
        client.send(NODE);
        const peer = await rig.db.peers.next();
        decline(peer.read());
        await Promise.all([endOf(client), endOf(peer)]);
      }
      await eventually(async () => assert.equal(await rig.closed('tls_refused'), before + 5));
    });

    it('matches names in any case, and names below a wildcard', async () => {
      for (const [name, endpoint] of [
        ['MAIL.Example.com', rig.mail],
        ['a.db.example.com', rig.db],
        ['a.b.DB.example.com', rig.db],
      ] as const) {
        const { client, peer } = await rig.join(helloFor(name), endpoint);
        assert.equal(await peer.read().receives(1), digestOf(helloFor(name)), name);
        client.destroy();
        peer.destroy();
      }
    });

    it('answers unknown and missing names with an alert', async () => {
      const before = await rig.rejected('server_name');
      const hellos = [helloFor('example.com'), helloFor('db.example.com'), clientHello([])];
      for (const hello of hellos) {
        const client = await rig.connect();
        client.read().send(hello);
        await client.receivesText(UNRECOGNIZED_NAME.toString('latin1'));
        assert.equal(await endOf(client), '');
      }
      assert.equal(await rig.rejected('server_name'), before + hellos.length);
    });

    it('closes connections that end before their hello is whole', async () => {
      const before = await rig.rejected('hello_ended');
      const ended = await rig.connect();
      ended.send(NODE.subarray(0, 100));
      ended.end();
      await endOf(ended.read());
      const reset = await rig.connect();
      reset.send(NODE.subarray(0, 100));
      reset.reset();
      await eventually(async () => assert.equal(await rig.rejected('hello_ended'), before + 2));
    });

    it('closes connections that break the protocol', async () => {
      const before = await rig.rejected('hello_malformed');
      const client = await rig.connect();
      // A handshake record whose message is no ClientHello.
      client.read().send(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00]));
      await endOf(client);
      assert.equal(await rig.rejected('hello_malformed'), before + 1);
    });

    it('counts connections that wait among those that maxConnections limits', async () => {
      const waiting = [await rig.connect('small'), await rig.connect('small')];
      const active = (): Promise<number> => rig.active('small');
      await eventually(async () => assert.equal(await active(), 2));
      const third = await rig.connect('small').then((client) => endOf(client.read()), codeOf);
      assert.match(third, layer === 'l4' ? /^ECONNRESET$/ : /^(?:ECONNRESET)?$/);
      waiting[0]!.send(NODE);
      const peer = await rig.db.peers.next();
      assert.equal(await active(), 2);
      peer.destroy();
      await eventually(async () => assert.equal(await active(), 1));
      waiting[0] = await rig.connect('small');
      waiting[0].send(NODE);
      (await rig.db.peers.next()).destroy();
    });

    it('leaves nothing behind when clients leave at any time', { skip: linuxOnly }, async () => {
      const { pid } = rig.sluice;
      const open = descriptors(pid);
      const leave = [(client: TcpPeer) => client.end(), (client: TcpPeer) => client.reset()];
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all(
          leave.map(async (go, index) => {
            const client = await rig.connect();
            client.socket.allowHalfOpen = false;
            client.read().send(NODE.subarray(0, Math.floor((round * 1.2 * NODE.length) / ROUNDS)));
            await setTimeout((round + index) % 3);
            go(client);
          }),
        );
        while (rig.db.peers.waiting > 0) (await rig.db.peers.next()).destroy();
      }
      await eventually(() => {
        rig.db.clear();
        const now = descriptors(pid);
        assert.ok(now <= open, `${now} descriptors, ${open} before`);
      });
    });

    it('names the server, the cluster and the client in its lines', async () => {
      const { client, peer } = await rig.join(helloFor('lines.db.example.com'), rig.db);
      client.destroy();
      peer.destroy();
      const line = await eventually(() => {
        const found = rig.sluice.logs.find(
          ({ msg, serverName: name }) => msg === 'tunnel closed' && name === 'lines.db.example.com',
        );
        assert.ok(found);
        return found;
      });
      assert.deepEqual(
        [line.listener, line.cluster, line.client, line.peer],
        ['tcp', 'db', '127.0.0.1', undefined],
      );
    });

    it('drains the tunnels of a listener, and of a cluster alone', async () => {
      const ends = [await rig.join(NODE, rig.db), await rig.join(helloFor('mail.example.com'), rig.mail)];
      for (const { client, peer } of ends) {
        client.read();
        peer.read();
      }
      const [first, second] = ends;
      await rig.post('/clusters/db/drain?rate=1000/s');
      await Promise.all([first!.client.ended(), first!.peer.ended()]);
      assert.ok(second!.client.isOpen);
      const late = await rig.connect();
      late.read().send(NODE);
      await endOf(late);
      await rig.post('/clusters/db/undrain');
      await rig.post('/listeners/tcp/drain?rate=1000/s');
      await Promise.all([second!.client.ended(), second!.peer.ended()]);
      if (layer === 'l7') {
        const drained = await rig.connect();
        drained.read().send(NODE);
        await endOf(drained);
        assert.equal(await rig.rejected('draining'), 1);
      }
      await rig.post('/listeners/tcp/undrain');
      await eventually(async () => {
        const { client } = await rig.join(NODE, rig.db);
        client.destroy();
      });
    });

    it(
      'serves clients that connected before a reload changed the engine',
      { skip: unsupportedReason() ?? false },
      async () => {
        const waiting = await rig.connect('moving');
        waiting.send(NODE.subarray(0, 100));
        const { client, peer } = await rig.join(helloFor('mail.example.com'), rig.mail, 'moving');
        await rig.reload({ engine: engine === 'raw' ? 'net' : 'raw' });
        waiting.send(NODE.subarray(100));
        const late = await rig.db.peers.next();
        assert.equal(await late.read().receives(NODE.length), digestOf(NODE));
        peer.send('still here');
        await client.read().receivesText('still here');
        await rig.post('/listeners/moving/drain?rate=1000/s');
        await Promise.all([waiting.read().ended(), late.ended(), client.ended()]);
        await rig.reload();
        await rig.post('/listeners/moving/undrain');
      },
    );

    it('keeps tunnels through a reload if their cluster stays, and ends the others', async () => {
      const kept = await rig.join(NODE, rig.db, 'moving');
      const lost = await rig.join(helloFor('mail.example.com'), rig.mail, 'moving');
      for (const { client, peer } of [kept, lost]) {
        client.read();
        peer.read();
      }
      await rig.reload({
        passthrough: [{ serverName: ['new.example.com', CAPTURED], cluster: 'db' }],
      });
      await Promise.all([lost.client.ended(), lost.peer.ended()]);
      kept.client.send('still here');
      assert.equal(await kept.peer.receives(NODE.length + 10), digestOf(NODE, 'still here'));
      const { peer } = await rig.join(helloFor('new.example.com'), rig.db, 'moving');
      peer.destroy();
      const refused = await rig.connect('moving');
      refused.send(helloFor('mail.example.com'));
      await refused.read().receivesText(UNRECOGNIZED_NAME.toString('latin1'));
      await rig.reload();
    });
  });
}
