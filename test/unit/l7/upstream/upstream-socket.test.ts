import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parseAddress } from '../../../../src/core/address.ts';
import type { Address } from '../../../../src/core/address.ts';
import { TimerWheel } from '../../../../src/core/timing/timer-wheel.ts';
import { createSlab } from '../../../../src/l7/buffers/slab.ts';
import type {
  UpstreamDialler,
  UpstreamOwner,
  UpstreamSocket,
} from '../../../../src/l7/contract/upstream-socket.ts';
import { ConnectionPool } from '../../../../src/l7/http/connection-pool.ts';
import { netDialler } from '../../../../src/l7/upstream/net-upstream.ts';
import { RawDialler } from '../../../../src/l7/upstream/raw-upstream.ts';
import { EventLoop } from '../../../../src/loop/event-loop.ts';
import { unsupportedReason } from '../../../../src/sys/support.ts';
import type { Cluster } from '../../../../src/upstream/cluster.ts';
import { connectFailureOf } from '../../../../src/upstream/dialling/dial.ts';
import type { Endpoint } from '../../../../src/upstream/endpoint.ts';
import { eventually } from '../../../support/deadline.ts';
import { refusingEndpoint, silentEndpoint } from '../../../support/sockets/bad-endpoints.ts';
import { freePorts } from '../../../support/sockets/free-port.ts';
import { TcpEndpoint, type TcpPeer } from '../../../support/sockets/tcp-peer.ts';

/** A thread's dialler, and its end. */
interface Rig {
  readonly dialler: UpstreamDialler;
  readonly close: () => void;
}

const RIGS: Readonly<Record<string, (() => Rig) | null>> = {
  'Node’s sockets': () => ({ dialler: netDialler, close: () => undefined }),
  'system calls': unsupportedReason() === null ? rawRig : null,
};

function rawRig(): Rig {
  const loop = new EventLoop(new TimerWheel(performance.now()));
  loop.start();
  return {
    dialler: new RawDialler(loop),
    close: () => {
      loop.close();
    },
  };
}

/** Keeps what an upstream connection tells. */
class Witness implements UpstreamOwner {
  readonly events: string[] = [];
  readonly hash = createHash('sha256');
  received = 0;
  error: Error | null = null;
  onData: (() => void) | null = null;

  upstreamConnected(): void {
    this.events.push('connected');
  }
  channelData(input: Buffer, start: number, end: number): void {
    this.hash.update(input.subarray(start, end));
    this.received += end - start;
    this.onData?.();
  }
  channelEnded(): void {
    this.events.push('ended');
  }
  channelClosed(error: Error | null): void {
    this.error = error;
    this.events.push('closed');
  }
  async comes(event: string): Promise<void> {
    await eventually(() => assert.ok(this.events.includes(event), `${this.events.join()} without ${event}`));
  }
}

/** A connection that is being opened. */
interface Dialled {
  readonly socket: UpstreamSocket;
  readonly witness: Witness;
  /** Which address the endpoint was told to try first. */
  readonly preferred: readonly Address[];
}

const CLUSTER = { tls: null, config: {} } as unknown as Cluster;

for (const [name, create] of Object.entries(RIGS)) {
  describe(`an upstream connection on ${name}`, { skip: create === null, timeout: 300_000 }, () => {
    const rig = create?.() ?? null;
    const directory = mkdtempSync(join(tmpdir(), 'sluice-upstream-'));
    after(() => {
      rig?.close();
      rmSync(directory, { recursive: true });
    });

    /** An endpoint of these addresses, and the connection that it gets. */
    function openAll(addresses: readonly Address[], preface: Buffer | null = null): Dialled {
      const witness = new Witness();
      const preferred: Address[] = [];
      const endpoint = {
        addresses,
        server: addresses[0],
        label: 'endpoint',
        prefer: (address: Address) => preferred.push(address),
      } as unknown as Endpoint;
      const socket = rig!.dialler.open(CLUSTER, endpoint, witness, preface);
      assert.deepEqual(witness.events, [], 'nothing is told before open has returned');
      return { socket, witness, preferred };
    }

    function open(address: string | Address): Dialled {
      const parsed = typeof address === 'string' ? parseAddress(address) : address;
      assert.ok(parsed !== undefined);
      return openAll([parsed]);
    }

    async function connected(): Promise<{ socket: UpstreamSocket; witness: Witness; peer: TcpPeer }> {
      const endpoint = await TcpEndpoint.listen();
      const { socket, witness } = open(endpoint.address);
      await witness.comes('connected');
      const peer = await endpoint.peers.next();
      after(() => endpoint.close());
      return { socket, witness, peer };
    }

    it('sends its preface before all other bytes', async () => {
      const endpoint = await TcpEndpoint.listen();
      after(() => endpoint.close());
      const { socket, witness } = openAll([parseAddress(endpoint.address)!], Buffer.from('first, '));
      await witness.comes('connected');
      socket.write(Buffer.from('second'));
      const peer = await endpoint.peers.next();
      await peer.read().receivesText('first, second');
      socket.destroy();
    });

    it('carries bytes and FIN both ways', async () => {
      const { socket, witness, peer } = await connected();
      peer.read();
      socket.write(Buffer.from('hello'));
      await peer.receivesText('hello');
      peer.send('world');
      await eventually(() => assert.equal(witness.received, 5));
      peer.end();
      await witness.comes('closed');
      assert.deepEqual(witness.events, ['connected', 'ended', 'closed']);
      assert.equal(witness.error, null);
      assert.ok(socket.destroyed);
      await peer.ended();
    });

    it("sends FIN after the buffered bytes, and closes after the endpoint's FIN", async () => {
      const { socket, witness, peer } = await connected();
      const bytes = randomBytes(24 * 1024 * 1024);
      for (let at = 0; at < bytes.length; at += 1_000_003) socket.write(bytes.subarray(at, at + 1_000_003));
      assert.ok(socket.writableLength > 0);
      socket.end();
      assert.ok(socket.writableEnded);
      peer.read();
      const digest = await peer.receives(bytes.length);
      assert.equal(digest, createHash('sha256').update(bytes).digest('hex'));
      await peer.ended();
      assert.equal(socket.destroyed, false);
      peer.end();
      await witness.comes('closed');
      assert.equal(witness.error, null);
    });

    it('pauses the endpoint without loss', async () => {
      const { socket, witness, peer } = await connected();
      socket.pause();
      const sent = peer.sendRandom(32 * 1024 * 1024);
      await eventually(() => assert.ok(peer.socket.writableLength > 0));
      const before = witness.received;
      for (let turns = 0; turns < 20; turns++) await new Promise((settle) => setTimeout(settle, 10));
      assert.equal(witness.received, before);
      socket.resume();
      const digest = await sent;
      await eventually(() => assert.equal(witness.received, 32 * 1024 * 1024));
      assert.equal(witness.hash.digest('hex'), digest);
      socket.destroy();
    });

    for (const [what, say] of [
      ['bytes that nobody asked for', (peer: TcpPeer) => peer.send('x')],
      ['FIN', (peer: TcpPeer) => peer.end()],
    ] as const) {
      it(`leaves the pool if ${what} arrived while it was paused`, async () => {
        const { socket, peer } = await connected();
        const pool = new ConnectionPool(new TimerWheel(performance.now()));
        const endpoint = {} as unknown as Endpoint;
        socket.pause();
        say(peer);
        socket.resume();
        pool.keep(endpoint, socket, 60_000);
        await eventually(() => assert.equal(pool.has(endpoint), false));
        assert.equal(socket.destroyed, true);
      });
    }

    it('delivers the bytes before a reset, then reports the loss', async () => {
      const { socket, witness, peer } = await connected();
      peer.send('last words');
      await eventually(() => assert.equal(witness.received, 10));
      peer.reset();
      await witness.comes('closed');
      assert.ok(witness.error !== null);
      assert.equal(connectFailureOf(witness.error), 'reset');
      const slab = createSlab(1, unsupportedReason() === null);
      assert.equal(socket.sendFrom(slab, 0, 1), 0);
      socket.write(Buffer.from('too late'));
      socket.end();
      socket.destroy();
      assert.equal(witness.events.filter((event) => event === 'closed').length, 1);
    });

    it('distinguishes a reset right after bytes from FIN', async () => {
      for (let round = 0; round < 2; round++) {
        const { witness, peer } = await connected();
        peer.send('last words');
        peer.reset();
        await witness.comes('closed');
        assert.equal(witness.received, 10);
        assert.deepEqual(witness.events, ['connected', 'closed']);
        assert.equal(connectFailureOf(witness.error!), 'reset');
      }
    });

    it('is closed by destroy, even inside its own data callback', async () => {
      const { socket, witness, peer } = await connected();
      witness.onData = () => socket.destroy();
      peer.read();
      peer.send('x');
      await witness.comes('closed');
      assert.equal(witness.error, null);
      await peer.ended();
    });

    it('reports why an endpoint cannot be reached', async () => {
      const [port = 0] = await freePorts(1);
      const refused = open({ kind: 'tcp', host: '127.0.0.1', port });
      await refused.witness.comes('closed');
      assert.equal(connectFailureOf(refused.witness.error!), 'refused');
      const path = join(directory, 'nobody.sock');
      assert.ok(!existsSync(path));
      const missing = open({ kind: 'unix', path });
      await missing.witness.comes('closed');
      assert.equal(connectFailureOf(missing.witness.error!), 'refused');
    });

    it('dials the addresses of an endpoint in turn, and gives the last one all remaining time', async () => {
      // The server on the port has another address.
      const refusing = await refusingEndpoint();
      const port = Number(refusing.address.split(':')[1]);
      const silent = await silentEndpoint('127.0.0.2', port);
      const good = await TcpEndpoint.listen({ host: '127.0.0.3', port });
      after(() => {
        for (const endpoint of [refusing, silent, good]) endpoint.close();
      });
      const at = (host: string): Address => ({ kind: 'tcp', host, port });
      const [refuses, isSilent, accepts] = [at('127.0.0.1'), at('127.0.0.2'), at('127.0.0.3')];
      const lasting = [[isSilent], [refuses, isSilent], [isSilent, isSilent]].map((addresses) =>
        openAll(addresses),
      );
      for (const addresses of [
        [accepts],
        [refuses, accepts],
        [isSilent, accepts],
        [refuses, isSilent, accepts],
      ]) {
        const { socket, witness, preferred } = openAll(addresses);
        await witness.comes('connected');
        for (const address of preferred) assert.equal(address, accepts);
        assert.ok(addresses.length === 1 || preferred.length === 1);
        socket.destroy();
      }
      // The others have waited for twice as long as an address gets while others wait behind it.
      for (const { socket, witness } of lasting) {
        assert.deepEqual(witness.events, []);
        socket.destroy();
      }
      const alsoRefuses = at('127.0.0.4');
      const refused = openAll([refuses, alsoRefuses]);
      await refused.witness.comes('closed');
      assert.equal(connectFailureOf(refused.witness.error!), 'refused');
      assert.match(refused.witness.error!.message, /ECONNREFUSED.*127\.0\.0\.4/);
    });

    it('calls nothing after its owner was removed', async () => {
      const { socket, witness, peer } = await connected();
      socket.owner = null;
      peer.send('unheard');
      peer.end();
      await eventually(() => assert.ok(socket.destroyed));
      assert.deepEqual(witness.events, ['connected']);
      assert.equal(witness.received, 0);
    });
  });
}
