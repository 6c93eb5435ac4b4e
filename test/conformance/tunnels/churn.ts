/** Many tunnels over several workers, as a suite for every engine. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { descriptors, medianGrowth, residentBytes } from '../../support/processes/process-facts.ts';
import { TcpEndpoint } from '../../support/sockets/tcp-peer.ts';
import type { TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { TunnelRig } from './rig.ts';
import type { TunnelEngine } from './rig.ts';

const MIB = 1024 ** 2;
const CYCLES_AT_ONCE = 50;
const CYCLES = 1400;
/** Above what the heaps of the process grow by while they are small: 20 MiB. */
const MAX_GROWTH_BYTES = 64 * MIB;
/** The young generations and the allocator's pools of two workers have their final size after 10,000 tunnels. */
const WARM_UP_ROUNDS = 2;
const COMPARED_ROUNDS = 5;
const TUNNELS_PER_ROUND = 5000;
/** Resident memory swings by 4 MiB from round to round. A tunnel that stays reachable holds 7 KiB with its sockets. */
const MAX_LOST_BYTES_PER_TUNNEL = 1024;
/** More than is ever taken before the connection ends. */
const FLOOD = 1024 ** 3;

const linuxOnly = process.platform === 'linux' ? false : 'needs /proc';

/** Checks that connections are shared between workers, and that 1,400 of them leave no descriptor and no gauge behind. */
export function describeManyTunnels(engine: TunnelEngine): void {
  describe(`several workers with the ${engine.name} engine`, { timeout: 300_000 }, () => {
    let rig: TunnelRig;
    let endpoint: TcpEndpoint;

    before(async () => {
      endpoint = await TcpEndpoint.listen(undefined, obey);
      rig = await TunnelRig.start(engine, 2, { churn: { endpoints: [endpoint.address] } });
    });
    after(async () => {
      endpoint.close();
      await rig.stop();
    });

    it('share the connections of one address', async () => {
      const workers = new Set<unknown>();
      // The kernel throws a coin: that all fall on one side happens once in 2^63 times.
      for (let opened = 0; workers.size < 2 && opened < 64; opened++) {
        const from = rig.sluice.logs.length;
        const client = await rig.connect('churn');
        client.read().send('echo');
        await client.receivesText('echo');
        workers.add((await rig.sluice.waitForLog(({ msg }) => msg === 'tunnel opened', 30_000, from)).worker);
      }
      assert.deepEqual([...workers].sort(), ['l4-0', 'l4-1']);
      await rig.clear();
    });

    it('leave nothing behind, however connections end', { skip: linuxOnly }, async (test) => {
      await churn(rig, 500);
      await rig.clear();
      const { pid } = rig.sluice;
      const before = {
        metrics: await rig.settled(),
        descriptors: descriptors(pid),
        memory: residentBytes(pid),
      };
      await churn(rig, CYCLES);
      await rig.clear();
      const metrics = await rig.settled();
      const gained = (name: string): number => metrics.sum(name) - before.metrics.sum(name);
      assert.ok(gained('sluice_tunnels_total') >= CYCLES / 2);
      assert.equal(gained('sluice_connections_total'), CYCLES);
      await eventually(() => {
        const open = descriptors(pid);
        assert.ok(open <= before.descriptors, `${open} descriptors, ${before.descriptors} before`);
      });
      const growth = residentBytes(pid) - before.memory;
      test.diagnostic(
        `${engine.name}: ${CYCLES} tunnels, ${descriptors(pid) - before.descriptors} descriptors and ${Math.round(growth / 1024)} KiB more`,
      );
      assert.ok(growth < MAX_GROWTH_BYTES, `the proxy grew by ${growth} bytes`);
    });
  });
}

/**
 * Checks that no tunnel stays in memory: 35,000 tunnels in rounds, the first 10,000 a warm-up. During the warm-up the
 * `net` engine grows a process of two workers by 80 MiB: 46 MiB are the young generations of V8, 33 MiB are free pages
 * that glibc keeps (`malloc_trim` returns them). Live objects after a full collection: 8 MiB per worker, constant.
 */
export function describeFlatMemory(engine: TunnelEngine): void {
  describe(`two workers with the ${engine.name} engine, in rounds of tunnels`, { timeout: 800_000 }, () => {
    let rig: TunnelRig;
    let endpoint: TcpEndpoint;

    before(async () => {
      endpoint = await TcpEndpoint.listen(undefined, obey);
      rig = await TunnelRig.start(engine, 2, { churn: { endpoints: [endpoint.address] } });
    });
    after(async () => {
      endpoint.close();
      await rig.stop();
    });

    it('have no more memory after each', { skip: linuxOnly }, async (test) => {
      const sizes: number[] = [];
      for (let round = 0; round < WARM_UP_ROUNDS + COMPARED_ROUNDS; round++) {
        await churn(rig, TUNNELS_PER_ROUND);
        await rig.clear();
        sizes.push(residentBytes(rig.sluice.pid));
      }
      test.diagnostic(`${engine.name}: ${sizes.map((size) => (size / MIB).toFixed(1)).join(', ')} MiB`);
      const lost = medianGrowth(sizes.slice(WARM_UP_ROUNDS - 1)) / TUNNELS_PER_ROUND;
      assert.ok(lost < MAX_LOST_BYTES_PER_TUNNEL, `${lost} bytes more for each tunnel`);
    });
  });
}

/** The client's first bytes decide the fate of its connection. */
function obey(peer: TcpPeer): void {
  peer.read();
  peer.socket.once('data', (bytes: Buffer) => {
    switch (bytes.toString('latin1', 0, 4)) {
      case 'stop':
        peer.end();
        break;
      case 'kill':
        peer.reset();
        break;
      case 'pour':
        peer.flood(FLOOD);
        break;
      default:
        peer.send(bytes);
    }
  });
  peer.socket.once('end', () => peer.end());
}

const ENDS: readonly ((client: TcpPeer) => Promise<unknown>)[] = [
  async (client) => {
    client.send('echo');
    await client.receivesText('echo');
    client.end();
    await client.closed();
  },
  async (client) => {
    client.send('echo');
    await client.receivesText('echo');
    client.reset();
  },
  async (client) => {
    client.send('stop');
    await client.ended();
    client.end();
    await client.closed();
  },
  async (client) => {
    client.send('kill');
    await client.closed();
  },
  // Before the endpoint has been dialled, perhaps.
  (client) => {
    client.reset();
    return Promise.resolve();
  },
  async (client) => {
    client.end();
    await client.closed();
  },
  // A FIN and then a reset, while much is on its way.
  async (client) => {
    client.send('pour');
    await client.receives(1);
    client.end();
    client.socket.pause();
    await new Promise((settle) => setImmediate(settle));
    client.reset();
  },
];

async function churn(rig: TunnelRig, cycles: number): Promise<void> {
  let begun = 0;
  const lane = async (): Promise<void> => {
    while (begun < cycles) {
      const end = ENDS[begun++ % ENDS.length]!;
      const client = await rig.connect('churn');
      await end(client.read());
      client.destroy();
    }
  };
  await Promise.all(Array.from({ length: CYCLES_AT_ONCE }, lane));
}
