/** The cost of idle sessions, in CPU and memory. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { TICK_MS, Timed, TimerWheel } from '../../src/core/timing/timer-wheel.ts';
import { eventually } from '../support/deadline.ts';
import { ENGINES, SCALE_ENGINES } from '../support/engines.ts';
import { EchoProcess, drive } from '../support/processes/load.ts';
import { cpuSeconds, medianGrowth, residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

/** Opened one after the other, so that the growth from one to the next says what a session costs. */
const PARTS = 6;
/** Two descriptors each, of the 20,000 that a process may have by default on many machines. */
const SESSIONS = 9000;
const DEADLINES = 50_000;
const MEASURED_S = 30;
/** Fraction of one core, pings on both legs included. */
const MAX_CPU = 0.05;
/** Of process memory, both legs of a session of raw. */
const MAX_SESSION_BYTES = 1536;
/** The young generation grows and shrinks by more than the sessions need. */
const NODE_OPTIONS = '--max-semi-space-size=4';
/** Fraction of one core for a wheel of 50,000 timers alone. */
const MAX_WHEEL_CPU = 0.002;

describe('idle sessions', () => {
  for (const engine of SCALE_ENGINES) {
    it(`cost next to no CPU: ${SESSIONS} through ${engine}`, async (t) => {
      const echo = await EchoProcess.start();
      const rig = await WebRig.start({
        workers: { l7: 1 },
        log: { access: false },
        listeners: { web: { engine } },
        clusters: { echo: { endpoints: [echo.address] } },
      });
      try {
        const { pid } = rig.sluice;
        const use = async (): Promise<number> => {
          const before = cpuSeconds(pid);
          const start = performance.now();
          await setTimeout(MEASURED_S * 1000);
          return (cpuSeconds(pid) - before) / ((performance.now() - start) / 1000);
        };
        const empty = await use();
        const memory = residentBytes(pid);
        const held = drive(
          `ws://${rig.address('web')}/`,
          ['--scenario', 'idle', '-c', String(SESSIONS), '--ramp', '20s', '-d', '100s', '--warmup', '0'],
          200_000,
        );
        await eventually(async () => {
          assert.equal((await rig.scrape()).sum('sluice_ws_sessions_active'), SESSIONS);
        }, 60_000);
        const each = (residentBytes(pid) - memory) / SESSIONS;
        // With an idleTimeout of two minutes both sides are pinged after one.
        const parts = [await use(), await use(), await use()];
        t.diagnostic(
          `${SESSIONS} sessions: ${parts.map((part) => (part * 100).toFixed(2)).join(', ')} % of a core in ` +
            `${MEASURED_S} s each, ${(empty * 100).toFixed(2)} % without any; ${Math.round(each)} bytes each`,
        );
        const mean = parts.reduce((sum, part) => sum + part, 0) / parts.length;
        assert.ok(mean - empty < MAX_CPU, `${mean} of a core`);
        assert.equal((await held).errors.total, 0);
      } finally {
        echo.stop();
        await rig.stop();
      }
    });
  }

  it(`cost little memory: ${SESSIONS} through raw`, { skip: !ENGINES.includes('raw') }, async (t) => {
    const echo = await EchoProcess.start();
    const rig = await WebRig.start({
      workers: { l7: 1 },
      log: { access: false },
      env: { NODE_OPTIONS },
      listeners: { web: { engine: 'raw' } },
      clusters: { echo: { endpoints: [echo.address] } },
    });
    const url = `ws://${rig.address('web')}/`;
    const open = SESSIONS / PARTS;
    const held: Promise<unknown>[] = [];
    const sizes: number[] = [];
    try {
      for (let part = 1; part <= PARTS; part++) {
        const options = [
          '--scenario',
          'idle',
          '-c',
          String(open),
          '--ramp',
          '3s',
          '-d',
          '70s',
          '--warmup',
          '0',
        ];
        held.push(drive(url, options, 200_000));
        await eventually(async () => {
          assert.equal((await rig.scrape()).sum('sluice_ws_sessions_active'), open * part);
        }, 60_000);
        // Garbage of the handshakes is collected in this time.
        await setTimeout(2000);
        sizes.push(residentBytes(rig.sluice.pid));
      }
      const each = medianGrowth(sizes) / open;
      t.diagnostic(
        `${sizes.map((size) => (size / 1024 ** 2).toFixed(1)).join(', ')} MiB: ${Math.round(each)} bytes for a session`,
      );
      assert.ok(each < MAX_SESSION_BYTES, `${each} bytes for a session`);
      await Promise.all(held);
    } finally {
      echo.stop();
      await rig.stop();
    }
  });

  it(`cost the wheel next to no CPU: ${DEADLINES} deadlines`, (t) => {
    /** As an idle session has it: half of two minutes, and again. */
    class Idle extends Timed {
      override expire(): void {
        wheel.arm(this, 60_000);
      }
    }
    const wheel = new TimerWheel(0);
    for (let count = 0; count < DEADLINES; count++) wheel.arm(new Idle(), 60_000 * (count / DEADLINES));
    const minutes = 60;
    const before = process.cpuUsage();
    for (let now = 0; now < minutes * 60_000; now += TICK_MS) wheel.advance(now);
    const { user, system } = process.cpuUsage(before);
    const share = (user + system) / 1e6 / (minutes * 60);
    t.diagnostic(`${DEADLINES} deadlines of a minute each: ${(share * 100).toFixed(4)} % of a core`);
    assert.ok(share < MAX_WHEEL_CPU, `${share} of a core`);
  });
});
