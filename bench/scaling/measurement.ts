import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Crew } from '../driver/crew/crew.ts';
import type { Plan } from '../options/plan.ts';
import { ProxyUnderTest } from '../reloadable/proxy-under-test.ts';
import { sluice } from '../reloadable/sluice.ts';
import { mergeOutcomes } from '../result/result.ts';
import { CpuMeter } from '../rig/cpu-meter.ts';
import { cpuOf, processTree } from '../rig/process-usage.ts';
import type { Stage } from '../rig/stage.ts';

const THREAD = fileURLToPath(new URL('../scenarios/thread.ts', import.meta.url));
const TRAFFIC_MS = 3000;
const SETTLE_MS = 1000;
const OPEN_MS = 120_000;
const HOLD_MS = 600_000;

/** The cost of a number of sessions. */
export interface SessionPoint {
  readonly sessions: number;
  /** Number of proxy processes that share the sessions. */
  readonly processes: number;
  /** Memory of the processes, in bytes. */
  readonly memory: number;
  /** Kernel memory for the proxy's two sockets of each session, in bytes. */
  readonly kernel: number;
  /** CPU cores in use while only the pings of the idle timeout are sent. */
  readonly idleCpu: number;
  /** CPU cores in use with {@link RATE} messages per second over all sessions. */
  readonly busyCpu: number;
}

/**
 * Idle timeout of the measured proxies. It is short, so that pings show in the CPU time. Idle CPU is measured
 * over one whole timeout.
 */
export const IDLE_TIMEOUT_SECONDS = 16;
/** Messages per second over all sessions, whatever their number. */
const RATE = 10_000;

/**
 * Measures newly started proxies that carry sessions to one endpoint.
 *
 * @throws Error if not all sessions open
 */
export async function measureSessions(
  stage: Stage,
  sessions: number,
  processes: number,
): Promise<SessionPoint> {
  const proxies = await startProxies(stage, processes);
  const pids = proxies.flatMap((proxy) => processTree(proxy.process.pid));
  const memory = (): number => proxies.reduce((sum, proxy) => sum + proxy.memory(), 0);
  await delay(SETTLE_MS);
  const kernelBefore = kernelBytes();
  const idle = proxies.map((proxy) => crewOf(proxy, { scenario: 'idle', connections: sessions / processes }));
  const runs = idle.map((crew) => crew.run());
  const open = (): number => idle.reduce((sum, crew) => sum + crew.page.sum('open'), 0);
  const end = performance.now() + OPEN_MS;
  while (open() < sessions && performance.now() < end) await delay(20);
  if (open() < sessions) throw new Error(`of ${sessions} sessions only ${open()} came up`);
  await delay(SETTLE_MS);
  const kernelAfter = kernelBytes();
  const [cpuBefore, from] = [cpuOf(pids), performance.now()];
  await delay(IDLE_TIMEOUT_SECONDS * 1000);
  const idleCpu = (cpuOf(pids) - cpuBefore) / (performance.now() - from);
  // During the idle time, the garbage of the handshakes has been collected.
  const held = memory();
  for (const crew of idle) crew.stop();
  await Promise.all(runs);
  const busyCpu = await measureTraffic(proxies, sessions, RATE);
  await stage.stopAll();
  return {
    sessions,
    processes,
    memory: held,
    // Each session has four sockets on this machine. Two of them are the proxy's.
    kernel: (kernelAfter - kernelBefore) / 2,
    idleCpu,
    busyCpu,
  };
}

/** The proxy's cost of messages that arrive together. */
export interface BatchPoint {
  /** Messages in flight on each of {@link BATCH_CONNECTIONS} connections, in a closed loop. */
  readonly messages: number;
  /** CPU time for all these messages, in both directions, in microseconds. */
  readonly cpu: number;
}

const BATCH_CONNECTIONS = 50;

/** Measures messages of 32 bytes in batches of several sizes. */
export async function measureBatches(stage: Stage, sizes: readonly number[]): Promise<BatchPoint[]> {
  const proxies = await startProxies(stage, 1);
  const points: BatchPoint[] = [];
  for (const messages of sizes) {
    const more = { connections: BATCH_CONNECTIONS, inFlight: messages };
    const [{ cores, rate } = { cores: 0, rate: 1 }] = await Promise.all(
      proxies.map((proxy) => measureEcho(proxy, more)),
    );
    points.push({ messages, cpu: (messages * cores * 1e6) / rate });
  }
  await stage.stopAll();
  return points;
}

/** Measures the cores in use for single 32-byte messages at several rates. */
export async function measureRates(
  stage: Stage,
  sessions: number,
  rates: readonly number[],
): Promise<(readonly [rate: number, cores: number])[]> {
  const proxies = await startProxies(stage, 1);
  const points: (readonly [number, number])[] = [];
  for (const rate of rates) points.push([rate, await measureTraffic(proxies, sessions, rate)]);
  await stage.stopAll();
  return points;
}

async function startProxies(stage: Stage, processes: number): Promise<ProxyUnderTest[]> {
  const { plain } = await stage.startEndpoint();
  return Promise.all(
    Array.from({ length: processes }, () =>
      ProxyUnderTest.start(stage, sluice, { endpoints: [plain], idleTimeoutSeconds: IDLE_TIMEOUT_SECONDS }),
    ),
  );
}

async function measureTraffic(
  proxies: readonly ProxyUnderTest[],
  sessions: number,
  rate: number,
): Promise<number> {
  const share = proxies.length;
  const runs = proxies.map((proxy) =>
    measureEcho(proxy, { connections: sessions / share, inFlight: 256, rate: rate / share }),
  );
  return (await Promise.all(runs)).reduce((sum, { cores }) => sum + cores, 0);
}

/** Measures the cores that a proxy uses for echoes, and the messages per second. */
async function measureEcho(
  proxy: ProxyUnderTest,
  more: Partial<Plan>,
): Promise<{ cores: number; rate: number }> {
  const crew = crewOf(proxy, { scenario: 'echo', durationMs: TRAFFIC_MS, warmupMs: 500, ...more });
  const meter = new CpuMeter(crew, processTree(proxy.process.pid), TRAFFIC_MS);
  const result = mergeOutcomes(crew.plan, await crew.run(), false);
  if (result.errorCount > 0) throw new Error(`errors: ${[...result.errors.keys()].join(', ')}`);
  return { cores: (meter.microsecondsPerMs() ?? 0) / 1000, rate: result.messageRates.mean };
}

function crewOf(proxy: ProxyUnderTest, more: Partial<Plan>): Crew {
  const plan: Plan = {
    target: { protocol: 'ws', host: '127.0.0.1', port: proxy.setup.ports.ws, path: '/' },
    scenario: 'echo',
    connections: 1,
    durationMs: HOLD_MS,
    warmupMs: 0,
    rampMs: 0,
    timeoutMs: 20_000,
    inFlight: 1,
    sizes: { kind: 'fixed', size: 32 },
    rate: null,
    threads: 1,
    text: false,
    subprotocols: [],
    headers: [],
    insecure: false,
    resume: false,
    replay: null,
    ...more,
  };
  return new Crew({ plan, address: '127.0.0.1', threadFile: THREAD });
}

/** Returns the memory of the kernel's slabs, which hold sockets and files, in bytes. */
function kernelBytes(): number {
  const kibibytes = /^Slab:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return Number(kibibytes) * 1024;
}
