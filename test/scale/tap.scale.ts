/** What taps cost: the sessions that they watch, the others, and the process. States are compared in turns within one run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { PacedFigures } from './fixtures/paced-echo.ts';
import type { SessionsAnswer } from '../../src/protocol/admin/answers.ts';
import { PacedLoad } from '../support/processes/paced-load.ts';
import { EchoProcess, drive } from '../support/processes/load.ts';
import { cpuSeconds, residentBytes } from '../support/processes/process-facts.ts';
import { TapCounter, type TapCounts } from '../support/recording/tap-counter.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

const TOKEN = 'a-token-of-a-good-length-for-the-tests';
const MIB = 1024 ** 2;
const SESSIONS = 5000;
/** Messages per second. Each is echoed. */
const RATE = 5000;
/** Each session sends some messages in each turn, so that its median is known. */
const TURNS = 5;
const TURN_MS = 3000;
const SETTLE_MS = 500;
/** Reports leave a worker at least four times a second. */
const LAST_REPORT_MS = 500;
/**
 * A tap may slow sessions down by 10%. The rest is what two cores with five busy processes add by chance: to a
 * session's median, and to the slowest messages.
 */
const MAX_RATIO = 1.1;
const NOISE_MS = { p50: 0.03, slowest: 0.1, p99: 1 } as const;
const MAX_GROWTH_BYTES = 128 * MIB;
/** Taps have a few percent of a worker's time. The primary passes lines on beside it. */
const MAX_TAP_CPU = 0.35;

/** All turns of a state. */
class Turns {
  readonly #p50: number[] = [];
  readonly #p99: number[] = [];
  readonly #bySession = new Map<number, number[]>();
  readonly #cpu: number[] = [];

  /** @param cpu part of a core */
  add({ latencies, sessions }: PacedFigures, cpu: number): void {
    this.#cpu.push(cpu);
    this.#p50.push(quantile(latencies, 0.5));
    this.#p99.push(quantile(latencies, 0.99));
    latencies.forEach((latency, index) => {
      const session = sessions[index]!;
      const own = this.#bySession.get(session);
      if (own === undefined) this.#bySession.set(session, [latency]);
      else own.push(latency);
    });
  }

  get cpu(): number {
    return quantile(this.#cpu, 0.25);
  }

  /**
   * Milliseconds. `p50` and `p99` are lower quartiles of all turns, because other processes only add to them.
   * `slowest` is a session's median, and one session in a hundred is slower.
   */
  get figures(): Record<keyof typeof NOISE_MS, number> {
    const medians = Array.from(this.#bySession.values(), (own) => quantile(own, 0.5));
    return {
      p50: quantile(this.#p50, 0.25),
      slowest: quantile(medians, 0.99),
      p99: quantile(this.#p99, 0.25),
    };
  }

  toString(): string {
    const { p50, slowest, p99 } = this.figures;
    const times = `p50 ${p50.toFixed(3)}, slowest sessions ${slowest.toFixed(3)}, p99 ${p99.toFixed(2)} ms`;
    return `${times}, ${this.cpu.toFixed(2)} of a core`;
  }
}

const STATES = [
  { name: 'one of them', parameters: (id: string) => `session=${id}&payload=true`, compressed: false },
  { name: 'all of them', parameters: () => '', compressed: false },
  { name: 'all of them, with payloads', parameters: () => 'payload=true', compressed: false },
  { name: 'all of them, compressed, with payloads', parameters: () => 'payload=true', compressed: true },
] as const;

describe(`a tap on ${SESSIONS} sessions`, { timeout: 1_500_000 }, () => {
  for (const engine of ['raw', 'uws'] as const) {
    for (const { name, parameters, compressed } of STATES) {
      if (compressed && engine === 'uws') continue;
      it(`of ${engine} slows no session down that watches ${name}`, async (t) => {
        const load = await PacedLoad.start();
        const rig = await startRig(engine, load.address);
        const { pid, admin } = rig.sluice;
        try {
          await load.open(rig.address('web'), SESSIONS, compressed);
          await load.measure(TURN_MS, RATE);
          const id = await anySession(admin);
          const memory = residentBytes(pid);
          const without = new Turns();
          const tapped = new Turns();
          let peak = 0;
          /** Messages during the last tap. */
          let sent = 0;
          let counts: TapCounts | null = null;
          for (let turn = 0; turn < TURNS; turn++) {
            await measured(pid, load, without);
            const tap = await TapCounter.open(admin, parameters(id), TOKEN);
            const wanted = name === 'one of them' ? 1 : SESSIONS;
            sent = 0;
            while (tap.counts.sessions + tap.counts.lostSessions < wanted) {
              sent += (await load.measure(SETTLE_MS, RATE)).sent;
            }
            sent += await measured(pid, load, tapped);
            await pause(LAST_REPORT_MS);
            tap.close();
            peak = Math.max(peak, residentBytes(pid));
            counts = tap.counts;
          }
          const growth = peak - memory;
          t.diagnostic(
            [
              `without: ${String(without)}`,
              `tapped: ${String(tapped)}`,
              `growth ${(growth / MIB).toFixed(1)} MiB`,
              `last turn: ${JSON.stringify(counts)}`,
            ].join('\n'),
          );
          const [before, during] = [without.figures, tapped.figures];
          for (const key of ['p50', 'slowest', 'p99'] as const) {
            const isFast = during[key] < before[key] * MAX_RATIO + NOISE_MS[key];
            assert.ok(isFast, `${key}: ${before[key]} to ${during[key]} ms`);
          }
          const cpu = tapped.cpu - without.cpu;
          assert.ok(cpu < MAX_TAP_CPU, `${cpu} of a core`);
          assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes`);
          if (name === 'one of them') return;
          // Each message crosses twice.
          const { frames, lostFrames, sessions } = counts!;
          assert.ok(frames > 0 && sessions > 0);
          assert.ok(frames + lostFrames <= 2 * sent, `${frames} told and ${lostFrames} lost of ${2 * sent}`);
        } finally {
          load.stop();
          await rig.stop();
        }
      });
    }
  }

  it('bounds its memory if it is not read', async (t) => {
    const load = await PacedLoad.start();
    const rig = await startRig('raw', load.address);
    const { pid, admin } = rig.sluice;
    try {
      await load.open(rig.address('web'), SESSIONS, false);
      await load.measure(TURN_MS, RATE);
      const memory = residentBytes(pid);
      const tap = await TapCounter.open(admin, 'payload=true', TOKEN, false);
      const { latencies } = await load.measure(5 * TURN_MS, RATE);
      const growth = residentBytes(pid) - memory;
      tap.read();
      await load.measure(TURN_MS, RATE);
      await pause(LAST_REPORT_MS);
      tap.close();
      t.diagnostic(
        `growth ${(growth / MIB).toFixed(1)} MiB, p99 ${quantile(latencies, 0.99)} ms, ${JSON.stringify(tap.counts)}`,
      );
      assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes`);
      assert.ok(tap.counts.frames > 0);
    } finally {
      load.stop();
      await rig.stop();
    }
  });

  for (const engine of ['raw', 'uws'] as const) {
    it(`loses and counts frames of one session of ${engine} with 100,000 a second`, async (t) => {
      const echo = await EchoProcess.start();
      const rig = await startRig(engine, echo.address);
      try {
        const args = ['-c', '1', '-m', '256', '-R', '50000', '-s', '64', '-d', '3s', '--warmup', '500ms'];
        const url = `ws://${rig.address('web')}/`;
        const without = await drive(url, args, 60_000);
        const tap = await TapCounter.open(rig.sluice.admin, 'payload=true', TOKEN);
        const tapped = await drive(url, args, 60_000);
        await pause(LAST_REPORT_MS);
        tap.close();
        t.diagnostic(
          `${without.messages} messages, p99 ${without.latency.p99} ms without; ${tapped.messages}, ` +
            `${tapped.latency.p99} ms with a tap: ${JSON.stringify(tap.counts)}`,
        );
        assert.ok(tapped.messages > 0.9 * without.messages, `${without.messages} to ${tapped.messages}`);
        const { frames, lostFrames } = tap.counts;
        assert.ok(frames > 0 && lostFrames > 0);
        // The messages of the warm-up are not counted by the driver.
        assert.ok(frames + lostFrames >= 2 * tapped.messages, `${frames} and ${lostFrames}`);
      } finally {
        echo.stop();
        await rig.stop();
      }
    });
  }
});

function startRig(engine: string, address: string): Promise<WebRig> {
  return WebRig.start({
    workers: { l7: 1 },
    log: { access: false },
    admin: { token: TOKEN, tap: 'payload' },
    listeners: { web: { engine } },
    clusters: { app: { endpoints: [address] } },
  });
}

async function anySession(admin: string): Promise<string> {
  const headers = { authorization: `Bearer ${TOKEN}` };
  const response = await fetch(`http://${admin}/sessions?limit=1`, { headers });
  return ((await response.json()) as SessionsAnswer).sessions[0]!.id;
}

/** Measures a turn. Returns the number of messages sent, with those before the measurement. */
async function measured(pid: number, load: PacedLoad, turns: Turns): Promise<number> {
  // A tap that begins may use what it has saved up.
  const settled = await load.measure(SETTLE_MS, RATE);
  const before = cpuSeconds(pid);
  const start = performance.now();
  const figures = await load.measure(TURN_MS, RATE);
  turns.add(figures, (cpuSeconds(pid) - before) / ((performance.now() - start) / 1000));
  return settled.sent + figures.sent;
}

function quantile(values: readonly number[], part: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * part)]!;
}
