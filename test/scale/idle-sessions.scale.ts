/** The cost of idle sessions. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { TICK_MS, Timed, TimerWheel } from '../../src/core/timing/timer-wheel.ts';
import { eventually } from '../support/deadline.ts';
import { EchoProcess, drive } from '../support/processes/load.ts';
import { cpuSeconds, residentBytes } from '../support/processes/process-facts.ts';
import { WebRig } from '../support/rigs/web-rig.ts';

/** Two descriptors each, of the 20,000 that a process may have by default on many machines. */
const SESSIONS = 9000;
const DEADLINES = 50_000;
const MEASURED_S = 30;
/** Fraction of one core, pings on both legs included. */
const MAX_CPU = 0.05;
/** Fraction of one core for a wheel of 50,000 timers alone. */
const MAX_WHEEL_CPU = 0.002;

describe('idle sessions', () => {
  it(`cost next to no CPU: ${SESSIONS} through a proxy`, async (t) => {
    const echo = await EchoProcess.start();
    const rig = await WebRig.start({
      workers: { l7: 1 },
      log: { access: false },
      listeners: { web: {} },
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
