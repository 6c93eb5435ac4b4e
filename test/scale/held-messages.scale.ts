/**
 * Clients of uWebSockets.js, which waits for whole messages. Some hold as many bytes as they can, others
 * echo.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { CertificateAuthority, type IssuedCertificate } from '../support/certificates.ts';
import { eventually } from '../support/deadline.ts';
import { EchoProcess, drive } from '../support/processes/load.ts';
import { residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';
import { MessageHolder } from '../support/websocket/message-holder.ts';
import { BINARY, encodeFrame } from '../support/websocket/raw-frames.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const BUDGET = 32 * MIB;
const MAX_MESSAGE = 16 * MIB;
/** Max growth of the process for other reasons. */
const NOISE = 64 * MIB;
const MASK = Buffer.alloc(4);
const ECHOES = ['-c', '50', '-R', '500', '-w', '1', '--warmup', '1s', '-d', '25s'];

interface Attack {
  readonly rig: WebRig;
  readonly holders: MessageHolder[];
  readonly ca: string | null;
  readonly address: string;
}

describe('clients that hold unfinished messages', { concurrency: false }, () => {
  const authority = new CertificateAuthority();
  let certificate: IssuedCertificate;
  let echo: EchoProcess;

  before(async () => {
    certificate = authority.issue('localhost', ['DNS:localhost', 'IP:127.0.0.1']);
    echo = await EchoProcess.start();
  });
  after(() => {
    echo.stop();
    authority.remove();
  });

  async function holders(attack: Attack, count: number, bytes: number): Promise<MessageHolder[]> {
    const { address, ca } = attack;
    const made = await Promise.all(
      Array.from({ length: count }, () => MessageHolder.join(address, bytes, 'fragments', ca)),
    );
    attack.holders.push(...made);
    return made;
  }

  async function allAtOnce(attack: Attack): Promise<void> {
    for (const holder of await holders(attack, 40, MAX_MESSAGE)) holder.hold();
    await pause(5000);
  }

  /** Each connection that is cut is replaced. */
  async function againAndAgain(attack: Attack): Promise<void> {
    const end = performance.now() + 10_000;
    const slot = async (): Promise<void> => {
      while (performance.now() < end) {
        const [holder] = await holders(attack, 1, MAX_MESSAGE);
        holder!.hold();
        await Promise.race([holder!.connection.closed, pause(2000)]);
        holder!.connection.destroy();
      }
    };
    await Promise.all(Array.from({ length: 40 }, slot));
  }

  async function inManySessions(attack: Attack): Promise<void> {
    for (let wave = 0; wave < 10; wave++) {
      for (const holder of await holders(attack, 100, 300 * KIB)) holder.hold();
    }
    await pause(5000);
  }

  /** 200 sessions send 64 KiB a second each. */
  async function slowly(attack: Attack): Promise<void> {
    const some = await holders(attack, 200, KIB);
    for (const { connection } of some) {
      connection.write(encodeFrame(BINARY, Buffer.alloc(1), { fin: false, mask: MASK }));
    }
    const drip = encodeFrame(0, Buffer.alloc(16 * KIB), { fin: false, mask: MASK });
    for (let round = 0; round < 60; round++) {
      for (const { connection } of some) connection.write(drip);
      await pause(250);
    }
  }

  for (const [what, listener, act] of [
    ['40 times 16 MiB at once', 'web', allAtOnce],
    ['40 times 16 MiB at once, over TLS', 'secure', allAtOnce],
    ['16 MiB in 40 connections, again as soon as they are cut', 'web', againAndAgain],
    ['300 KiB in each of 1,000 sessions', 'web', inManySessions],
    ['64 KiB more each second in 200 sessions', 'web', slowly],
  ] as const) {
    it(`get no more than the budget, and hurt nobody: ${what}`, async (t) => {
      const rig = await WebRig.start({
        workers: { l7: 1, bufferBudget: BUDGET },
        log: { access: false },
        listeners: {
          web: { engine: 'uws' },
          secure: { engine: 'uws', tls: { certificates: [certificate] } },
        },
        clusters: { echo: { endpoints: [echo.address] } },
      });
      const ca = listener === 'secure' ? authority.pem : null;
      const attack: Attack = { rig, holders: [], ca, address: rig.address(listener) };
      let watch: NodeJS.Timeout | undefined;
      try {
        const loaded = drive(`ws://${rig.address('web')}/`, ECHOES, 120_000);
        // The process grows into its working size.
        await pause(4000);
        const base = residentBytes(rig.sluice.pid);
        let highest = base;
        watch = setInterval(() => (highest = Math.max(highest, residentBytes(rig.sluice.pid))), 5);
        await act(attack);
        clearInterval(watch);
        const grown = highest - base;
        const metrics = await rig.scrape();
        const shed = metrics.sum('sluice_ws_sessions_shed_total', { reason: 'unfinished' });
        const held = metrics.sum('sluice_ws_unfinished_bytes');
        const { errors, latency } = await loaded;
        t.diagnostic(
          `grew by ${(grown / MIB).toFixed(1)} MiB, ${(held / MIB).toFixed(1)} MiB counted at the end, ` +
            `${shed} sessions shed; echoes: p50 ${latency.p50} ms, p99 ${latency.p99} ms`,
        );
        assert.ok(grown <= BUDGET + NOISE, `grew by ${grown} bytes`);
        assert.ok(shed > 0 && held <= BUDGET);
        assert.equal(errors.total, 0);
        for (const { connection } of attack.holders) connection.destroy();
        await eventually(async () => {
          assert.ok((await rig.scrape()).sum('sluice_ws_unfinished_bytes') < MIB);
        });
      } finally {
        clearInterval(watch);
        for (const { connection } of attack.holders) connection.destroy();
        await rig.stop();
      }
    });
  }
});
