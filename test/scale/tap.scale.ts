/** What taps cost: the sessions that they watch, the others, and the process. States are compared in turns within one run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { PacedFigures } from './fixtures/paced-echo.ts';
import type { SessionsAnswer } from '../../src/protocol/admin/answers.ts';
import { eventually } from '../support/deadline.ts';
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
const TURNS = 5;
const TURN_MS = 1000;
const SETTLE_MS = 500;
/** Reports leave a worker once in a tick of 100 ms. */
const LAST_REPORT_MS = 500;
/** A tap may slow sessions down by 10%. The rest is what two cores with five busy processes add by chance. */
const MAX_RATIO = 1.1;
const NOISE_MS = 1;
const MAX_GROWTH_BYTES = 128 * MIB;
/** Taps have a few percent of a worker's time. The primary passes lines on beside it. */
const MAX_TAP_CPU = 0.35;

interface Measured {
  readonly figures: PacedFigures;
  /** Messages sent since the tap was opened, with those before the measurement. */
  readonly sent: number;
  /** Part of a core. */
  readonly cpu: number;
}

const STATES = [
  { name: 'one of them', parameters: (id: string) => `session=${id}&payload=true`, compressed: false },
  { name: 'all of them', parameters: () => '', compressed: false },
  { name: 'all of them, with payloads', parameters: () => 'payload=true', compressed: false },
  { name: 'all of them, compressed, with payloads', parameters: () => 'payload=true', compressed: true },
] as const;

describe(`a tap on ${SESSIONS} sessions`, { timeout: 800_000 }, () => {
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
          const without: Measured[] = [];
          const tapped: Measured[] = [];
          let peak = 0;
          let counts: TapCounts | null = null;
          for (let turn = 0; turn < TURNS; turn++) {
            without.push(await measured(pid, load));
            const tap = await TapCounter.open(admin, parameters(id), TOKEN);
            const wanted = name === 'one of them' ? 1 : SESSIONS;
            await eventually(() => assert.ok(tap.counts.sessions + tap.counts.lostSessions >= wanted));
            tapped.push(await measured(pid, load));
            await pause(LAST_REPORT_MS);
            tap.close();
            peak = Math.max(peak, residentBytes(pid));
            counts = tap.counts;
          }
          const growth = peak - memory;
          t.diagnostic(
            [
              `without: ${describeAll(without)}`,
              `tapped: ${describeAll(tapped)}`,
              `growth ${(growth / MIB).toFixed(1)} MiB`,
              `last turn: ${tapped.at(-1)!.figures.sent} messages, ${JSON.stringify(counts)}`,
            ].join('\n'),
          );
          for (const key of ['p50', 'p99'] as const) {
            const [before, during] = [without, tapped].map((all) =>
              quartile(all, ({ figures }) => figures[key]),
            );
            assert.ok(during! < before! * MAX_RATIO + NOISE_MS, `${key}: ${before} to ${during} ms`);
          }
          const cpu = quartile(tapped, (one) => one.cpu) - quartile(without, (one) => one.cpu);
          assert.ok(cpu < MAX_TAP_CPU, `${cpu} of a core`);
          assert.ok(growth < MAX_GROWTH_BYTES, `${growth} bytes`);
          if (name === 'one of them') return;
          // Each message crosses twice.
          const frames = 2 * tapped.at(-1)!.sent;
          const { frames: told, lostFrames, sessions } = counts!;
          assert.ok(told > 0 && sessions > 0);
          assert.ok(told + lostFrames <= frames, `${told} told and ${lostFrames} lost of ${frames}`);
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
      const { p50, p99 } = await load.measure(5 * TURN_MS, RATE);
      const growth = residentBytes(pid) - memory;
      tap.read();
      await load.measure(TURN_MS, RATE);
      await pause(LAST_REPORT_MS);
      tap.close();
      t.diagnostic(
        `growth ${(growth / MIB).toFixed(1)} MiB, p50 ${p50} ms, p99 ${p99} ms, ${JSON.stringify(tap.counts)}`,
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

async function measured(pid: number, load: PacedLoad): Promise<Measured> {
  // A tap that begins may use what it has saved up.
  const settled = await load.measure(SETTLE_MS, RATE);
  const before = cpuSeconds(pid);
  const start = performance.now();
  const figures = await load.measure(TURN_MS, RATE);
  const cpu = (cpuSeconds(pid) - before) / ((performance.now() - start) / 1000);
  return { figures, sent: settled.sent + figures.sent, cpu };
}

/** The lower quartile: other processes only add to what is measured. */
function quartile(all: readonly Measured[], valueOf: (one: Measured) => number): number {
  return all.map(valueOf).toSorted((a, b) => a - b)[Math.floor(all.length / 4)]!;
}

function describeAll(all: readonly Measured[]): string {
  const at = (valueOf: (one: Measured) => number): string => quartile(all, valueOf).toFixed(2);
  const p50 = at(({ figures }) => figures.p50);
  const p99 = at(({ figures }) => figures.p99);
  return `p50 ${p50} ms, p99 ${p99} ms, ${at(({ cpu }) => cpu)} of a core`;
}
