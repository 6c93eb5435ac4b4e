/** Tunnels that are chosen by the server name of a ClientHello, as a suite for the engines of both layers. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, afterEach, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { codeOf } from '../../../src/core/errors.ts';
import { UNRECOGNIZED_NAME } from '../../../src/wire/tls/client-hello.ts';
import { eventually } from '../../support/deadline.ts';

import { scrape, settled } from '../../support/http/metrics.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { NODE } from '../../support/tls/captured-hellos.ts';
import { clientHello, serverName } from '../../support/tls/hello-building.ts';

/** What leads to the tunnels. */
export interface TunnelDoor {
  readonly layer: 'l4' | 'l7';
  readonly engine: 'raw' | 'net';
}

/** The name in the captured hello. */
const CAPTURED = 'node.example.com';
const PASSTHROUGH = [
  { serverName: [CAPTURED, '*.db.example.com'], cluster: 'db' },
  { serverName: 'mail.example.com', cluster: 'mail' },
];
const GAUGES = ['sluice_tunnels_active', 'sluice_connections_active', 'sluice_endpoint_connections_active'];
const BEHIND_THE_HELLO = 'the next record';
const TOKEN = 'a-token-for-tests-only';
/** Time in which a segment reaches the proxy. A test does not fail if it takes longer. */
const SEGMENT_MS = 5;

function helloFor(name: string): Buffer {
  return clientHello([serverName(name)]);
}

function digestOf(...parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Waits for FIN or a reset; returns the name of the error that a reset makes. */
function endOf(client: TcpPeer): Promise<string> {
  client.socket.allowHalfOpen = false;
  if (client.socket.readableEnded) client.end();
  return client.closed();
}

export function describeServerNames({ layer, engine }: TunnelDoor): void {
  describe(
    `tunnels by server name of the ${engine} engine at layer ${layer.slice(1)}`,
    { timeout: 300_000 },
    () => {
      let sluice: SluiceProcess;
      let db: TcpEndpoint;
      let mail: TcpEndpoint;
      const clients: TcpPeer[] = [];

      const listener = (name: string, settings: object): object => ({
        ...{ name, mode: layer, address: '127.0.0.1:0', engine, passthrough: PASSTHROUGH },
        ...(layer === 'l7' && { routes: [{ match: {}, respond: { status: 204 } }] }),
        ...settings,
      });
      const configOf = (listeners: readonly object[], names: readonly string[]): object => ({
        workers: { l7: 1, l4: 1 },
        admin: { address: '127.0.0.1:0', token: TOKEN },
        shutdown: { grace: '0s' },
        log: { level: 'debug' },
        listeners,
        clusters: Object.entries({ db, mail })
          .filter(([name]) => names.includes(name))
          .map(([name, { address }]) => ({ name, endpoints: [{ address }] })),
      });
      const LISTENERS = [
        listener('tcp', {}),
        listener('small', { maxConnections: 2 }),
        listener('moving', {}),
      ];

      const connect = async (name = 'tcp'): Promise<TcpPeer> => {
        const client = await TcpPeer.connect(sluice.address(name));
        clients.push(client);
        return client;
      };
      /** Sends a hello and returns the endpoint's side. */
      const join = async (
        hello: Buffer,
        endpoint: TcpEndpoint,
        name = 'tcp',
      ): Promise<{ client: TcpPeer; peer: TcpPeer }> => {
        const client = await connect(name);
        client.send(hello);
        return { client, peer: await endpoint.peers.next() };
      };
      const post = async (path: string): Promise<void> => {
        const headers = { authorization: `Bearer ${TOKEN}`, connection: 'close' };
        const answer = await fetch(`http://${sluice.admin}${path}`, { method: 'POST', headers });
        assert.ok(answer.ok, await answer.text());
      };
      const rejected = async (reason: string): Promise<number> =>
        (await scrape(sluice)).sum('sluice_connections_rejected_total', { reason });

      before(async () => {
        db = await TcpEndpoint.listen();
        mail = await TcpEndpoint.listen();
        sluice = await startSluice({ config: configOf(LISTENERS, ['db', 'mail']) });
      });
      afterEach(async () => {
        for (const client of clients.splice(0)) client.destroy();
        for (const endpoint of [db, mail]) endpoint.clear();
        await settled(sluice, GAUGES);
      });
      after(async () => {
        for (const endpoint of [db, mail]) endpoint.close();
        await sluice.stop();
      });

      it('hands a hello over byte for byte, wherever it is cut', async () => {
        const cuts = [
          1,
          5,
          6,
          11,
          42,
          43,
          NODE.indexOf(CAPTURED),
          NODE.indexOf(CAPTURED) + 3,
          NODE.length - 1,
        ];
        const expected = digestOf(NODE, BEHIND_THE_HELLO);
        for (const cut of cuts) {
          const client = await connect();
          client.send(NODE.subarray(0, cut));
          await setTimeout(SEGMENT_MS);
          client.send(NODE.subarray(cut));
          client.send(BEHIND_THE_HELLO);
          const peer = await db.peers.next();
          const length = NODE.length + BEHIND_THE_HELLO.length;
          assert.equal(await peer.read().receives(length), expected, `cut at ${cut}`);
          peer.send('answer');
          await client.read().receivesText('answer');
          client.destroy();
          peer.destroy();
        }
      });

      it('hands a hello over that comes byte by byte, and the end behind it', async () => {
        const hello = helloFor('x.db.example.com');
        const client = await connect();
        for (const byte of hello) {
          client.send(Buffer.of(byte));
          await setTimeout(1);
        }
        client.end();
        const peer = await db.peers.next();
        assert.equal(await peer.read().receives(hello.length), digestOf(hello));
        await peer.ended();
        peer.send('answer');
        peer.end();
        await client.read().receivesText('answer');
        assert.equal(await client.closed(), '');
      });

      it('hands large amounts over in both directions', async () => {
        const { client, peer } = await join(NODE, db);
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

      it('tells names in any case, and names below a wildcard, from others', async () => {
        for (const [name, endpoint] of [
          ['MAIL.Example.com', mail],
          ['a.db.example.com', db],
          ['a.b.DB.example.com', db],
        ] as const) {
          const { client, peer } = await join(helloFor(name), endpoint);
          assert.equal(await peer.read().receives(1), digestOf(helloFor(name)), name);
          client.destroy();
          peer.destroy();
        }
      });

      it('answers other names, and none, with an alert', async () => {
        const before = await rejected('server_name');
        const hellos = [helloFor('example.com'), helloFor('db.example.com'), clientHello([])];
        for (const hello of hellos) {
          const client = await connect();
          client.read().send(hello);
          await client.receivesText(UNRECOGNIZED_NAME.toString('latin1'));
          assert.equal(await endOf(client), '');
        }
        assert.equal(await rejected('server_name'), before + hellos.length);
      });

      it('closes what ends before its hello is whole', async () => {
        const before = await rejected('hello_ended');
        const ended = await connect();
        ended.send(NODE.subarray(0, 100));
        ended.end();
        await endOf(ended.read());
        const reset = await connect();
        reset.send(NODE.subarray(0, 100));
        reset.reset();
        await eventually(async () => assert.equal(await rejected('hello_ended'), before + 2));
      });

      it('closes what breaks the protocol', async () => {
        const before = await rejected('hello_malformed');
        const client = await connect();
        // A handshake record whose message is no ClientHello.
        client.read().send(Buffer.from([0x16, 0x03, 0x01, 0x00, 0x04, 0x02, 0x00, 0x00, 0x00]));
        await endOf(client);
        assert.equal(await rejected('hello_malformed'), before + 1);
      });

      it('counts connections that wait among those that maxConnections limits', async () => {
        const waiting = [await connect('small'), await connect('small')];
        const active = async (): Promise<number> =>
          (await scrape(sluice)).sum('sluice_connections_active', { listener: 'small' });
        await eventually(async () => assert.equal(await active(), 2));
        const third = await connect('small').then((client) => endOf(client.read()), codeOf);
        assert.match(third, layer === 'l4' ? /^ECONNRESET$/ : /^(?:ECONNRESET)?$/);
        waiting[0]!.send(NODE);
        const peer = await db.peers.next();
        assert.equal(await active(), 2);
        peer.destroy();
        await eventually(async () => assert.equal(await active(), 1));
        waiting[0] = await connect('small');
        waiting[0].send(NODE);
        (await db.peers.next()).destroy();
      });

      it('names the server, the cluster and the client in its lines', async () => {
        const { client, peer } = await join(helloFor('lines.db.example.com'), db);
        client.destroy();
        peer.destroy();
        const line = await eventually(() => {
          const found = sluice.logs.find(
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
        const ends = [await join(NODE, db), await join(helloFor('mail.example.com'), mail)];
        for (const { client, peer } of ends) {
          client.read();
          peer.read();
        }
        const [first, second] = ends;
        await post('/clusters/db/drain?rate=1000/s');
        await Promise.all([first!.client.ended(), first!.peer.ended()]);
        assert.ok(second!.client.isOpen);
        const late = await connect();
        late.read().send(NODE);
        await endOf(late);
        await post('/clusters/db/undrain');
        await post('/listeners/tcp/drain?rate=1000/s');
        await Promise.all([second!.client.ended(), second!.peer.ended()]);
        if (layer === 'l7') {
          const drained = await connect();
          drained.read().send(NODE);
          await endOf(drained);
          assert.equal(await rejected('draining'), 1);
        }
        await post('/listeners/tcp/undrain');
        await eventually(async () => {
          const { client } = await join(NODE, db);
          client.destroy();
        });
      });

      it('keeps tunnels through a reload if their cluster stays, and ends the others', async () => {
        const kept = await join(NODE, db, 'moving');
        const lost = await join(helloFor('mail.example.com'), mail, 'moving');
        for (const { client, peer } of [kept, lost]) {
          client.read();
          peer.read();
        }
        const [tcp, small] = LISTENERS;
        const moved = listener('moving', {
          passthrough: [{ serverName: ['new.example.com', CAPTURED], cluster: 'db' }],
        });
        sluice.writeConfig(configOf([tcp!, small!, moved], ['db', 'mail']));
        await post('/reload');
        await Promise.all([lost.client.ended(), lost.peer.ended()]);
        kept.client.send('still here');
        assert.equal(await kept.peer.receives(NODE.length + 10), digestOf(NODE, 'still here'));
        const { peer } = await join(helloFor('new.example.com'), db, 'moving');
        peer.destroy();
        const refused = await connect('moving');
        refused.send(helloFor('mail.example.com'));
        await refused.read().receivesText(UNRECOGNIZED_NAME.toString('latin1'));
        sluice.writeConfig(configOf(LISTENERS, ['db', 'mail']));
        await post('/reload');
      });
    },
  );
}
