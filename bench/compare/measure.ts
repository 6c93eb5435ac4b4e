import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Crew, createPool } from '../driver/crew/crew.ts';
import type { Plan } from '../options/plan.ts';
import type { Mode } from '../peers/peer.ts';
import { mergeOutcomes } from '../result/result.ts';
import { CpuMeter } from '../rig/cpu-meter.ts';
import { memoryOf, processTree } from '../rig/process-usage.ts';
import type { Case } from './cases.ts';
import type { RunningTarget } from './rig.ts';
import { sampleOf, type Sample } from './sample.ts';

const THREAD = fileURLToPath(new URL('../scenarios/thread.ts', import.meta.url));
const ADDRESS = '127.0.0.1';
const WARM_UP_MS = 250;
/** Connections opened before the first reading of memory, and connections added before the second. */
const IDLE_BASE = 200;
const IDLE_MORE = 1000;
const IDLE_SETTLE_MS = 500;
const MAX_IDLE_MS = 60_000;

/** One driver thread for all cases. An idle pool does not keep the process alive. */
const pool = createPool(THREAD, 1);

/** Measures one case. */
export async function measure(target: RunningTarget, one: Case, durationMs: number): Promise<Sample> {
  const { scenario, mode, connections, inFlight, size, resume = false } = one;
  const plan = planFor(target, mode, {
    scenario,
    connections,
    inFlight,
    sizes: { kind: 'fixed', size },
    durationMs,
    warmupMs: WARM_UP_MS,
    resume,
  });
  const crew = new Crew({ plan, address: ADDRESS, threadFile: THREAD, pool });
  const cpu =
    target.process === null ? null : new CpuMeter(crew, processTree(target.process.pid), durationMs);
  const result = mergeOutcomes(plan, await crew.run(), false);
  return sampleOf(result, cpu?.microsecondsPerMs() ?? null);
}

/**
 * Measures a proxy's memory per idle connection, in bytes: its growth when {@link IDLE_MORE} connections are
 * added. Returns null without a proxy.
 */
export async function measureIdle(target: RunningTarget, mode: Mode): Promise<number | null> {
  if (target.process === null) return null;
  const hold = (connections: number): Crew =>
    new Crew({
      plan: planFor(target, mode, { scenario: 'idle', connections, durationMs: MAX_IDLE_MS }),
      address: ADDRESS,
      threadFile: THREAD,
    });
  const [base, more] = [hold(IDLE_BASE), hold(IDLE_MORE)];
  const runs = [base.run()];
  try {
    await allOpen(base, IDLE_BASE);
    const before = memoryOf(processTree(target.process.pid));
    runs.push(more.run());
    await allOpen(more, IDLE_MORE);
    return (memoryOf(processTree(target.process.pid)) - before) / IDLE_MORE;
  } finally {
    base.stop();
    more.stop();
    await Promise.all(runs);
  }
}

/** Waits until all connections are open, then until the proxy is at rest. */
async function allOpen(crew: Crew, count: number): Promise<void> {
  const end = performance.now() + MAX_IDLE_MS / 2;
  while (crew.page.sum('open') < count && performance.now() < end) await delay(20);
  await delay(IDLE_SETTLE_MS);
}

function planFor(target: RunningTarget, mode: Mode, more: Partial<Plan>): Plan {
  return {
    target: {
      // At layer 4, the peer forwards the bytes of a WebSocket unread.
      protocol: mode === 'wss' ? 'wss' : 'ws',
      host: 'localhost',
      port: target.ports[mode],
      path: more.scenario === 'fan-out' ? '/fan-out' : '/',
    },
    scenario: 'echo',
    connections: 1,
    durationMs: 1000,
    warmupMs: 0,
    rampMs: 0,
    timeoutMs: 5000,
    inFlight: 1,
    sizes: { kind: 'fixed', size: 32 },
    rate: null,
    threads: 1,
    text: false,
    subprotocols: [],
    headers: [],
    insecure: true,
    resume: false,
    replay: null,
    ...more,
  };
}
