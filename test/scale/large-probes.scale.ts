/** The TCP probes of a thousand clusters at the default interval: their CPU, their spread, and what the admin address feels. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { askAdmin } from '../support/http/admin-client.ts';
import { scrape } from '../support/http/metrics.ts';
import { startSluice, type SluiceProcess } from '../support/processes/sluice-process.ts';
import { withAdmin } from '../support/rigs/reload-rig.ts';

const CLUSTERS = 1000;
const ENDPOINTS = 10;
/** The default of `healthCheck.interval`. */
const INTERVAL_MS = 5000;
const MEASURED_MS = 60_000;
/** The first probes come at once at the start, and the second ones are spread over an interval. */
const SETTLE_MS = 2 * INTERVAL_MS;
const WINDOW_MS = 100;
/**
 * Max probes of a window, as a multiple of the average. One window of 100 may have more: the probes of a
 * process that did not run for a while come together.
 */
const MAX_SHARE = 3;
/**
 * Fraction of one core that the primary may use. It uses two thirds of that while others use the cores: see the
 * table of docs/benchmarks/scaling.md.
 */
const MAX_CPU = 0.15;
/** Max time that half of the requests to the admin address wait: all processes of the test share the cores. */
const MAX_ADMIN_MS = 50;
const QUANTILE = 0.99;
/** USER_HZ. */
const TICKS_PER_SECOND = 100;

/** CPU time of the main thread of a process, in seconds. */
function mainThreadSeconds(pid: number): number {
  // Behind the name, which may hold anything.
  const fields = readFileSync(`/proc/${pid}/task/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/**
 * Connections that all processes of the machine have begun. The process that listens does not see those of probes. The
 * requests to the admin address count, too: two in a window.
 */
function connectionsBegun(): number {
  const [names, values] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp: '))
    .map((line) => line.split(' '));
  return Number(values![names!.indexOf('ActiveOpens')]);
}

/** An address of the loopback network for each endpoint. */
function hostOf(number: number): string {
  return `127.1.${number >> 8}.${number & 255}`;
}

describe(`probes of ${CLUSTERS * ENDPOINTS} endpoints`, { timeout: 300_000 }, () => {
  let server: Server;
  let sluice: SluiceProcess;

  before(async () => {
    server = createServer((socket) => socket.on('error', () => undefined).resume());
    // All addresses of the loopback network.
    server.listen({ host: '0.0.0.0', port: 0, backlog: 4096 });
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    sluice = await startSluice({
      config: withAdmin({
        workers: { l7: 1, l4: 1 },
        log: { access: false },
        listeners: [
          { name: 'web', mode: 'l7', address: '127.0.0.1:0', routes: [{ match: {}, cluster: 'c0' }] },
        ],
        clusters: Array.from({ length: CLUSTERS }, (_, cluster) => ({
          name: `c${cluster}`,
          healthCheck: { type: 'tcp' },
          endpoints: Array.from({ length: ENDPOINTS }, (__, endpoint) => ({
            address: `${hostOf(cluster * ENDPOINTS + endpoint)}:${port}`,
          })),
        })),
      }),
    });
  });
  after(() => {
    sluice.kill('SIGKILL');
    server.close();
  });

  it('cost little, are spread evenly, and delay no client', async (t) => {
    await setTimeout(SETTLE_MS);
    const probesBefore = (await scrape(sluice)).sum('sluice_endpoint_probes_total');
    const waits: number[] = [];
    const counts: number[] = [];
    let begun = connectionsBegun();
    const sampling = setInterval(() => {
      const now = connectionsBegun();
      counts.push(now - begun);
      begun = now;
    }, WINDOW_MS);
    const cpuBefore = mainThreadSeconds(sluice.pid);
    const start = performance.now();
    while (performance.now() - start < MEASURED_MS) {
      const asked = performance.now();
      await askAdmin(sluice.admin, '/healthz');
      waits.push(performance.now() - asked);
      await setTimeout(50);
    }
    const seconds = (performance.now() - start) / 1000;
    const cpu = (mainThreadSeconds(sluice.pid) - cpuBefore) / seconds;
    clearInterval(sampling);
    const metrics = await scrape(sluice);
    const probes = metrics.sum('sluice_endpoint_probes_total') - probesBefore;
    const even = (CLUSTERS * ENDPOINTS * WINDOW_MS) / INTERVAL_MS;
    counts.sort((a, b) => a - b);
    waits.sort((a, b) => a - b);
    const most = counts[Math.floor(counts.length * QUANTILE)]!;
    const usual = waits[Math.floor(waits.length / 2)]!;
    const late = waits[Math.floor(waits.length * QUANTILE)]!;
    t.diagnostic(
      `${Math.round(probes / seconds)} probes a second take ${(cpu * 100).toFixed(1)} % of a core, and ` +
        `${((cpu / probes) * seconds * 1e6).toFixed(0)} us each; in ${WINDOW_MS} ms ${most} (p99) and ` +
        `${counts.at(-1)} (max), evenly ${even}; the admin address answers within ${usual.toFixed(1)} ms (p50), ` +
        `${late.toFixed(1)} ms (p99) and ${waits.at(-1)!.toFixed(1)} ms (max)`,
    );
    assert.ok(probes > 0.85 * (seconds / INTERVAL_MS) * 1000 * CLUSTERS * ENDPOINTS, `${probes} probes`);
    assert.ok(most <= MAX_SHARE * even, `${most} probes in ${WINDOW_MS} ms`);
    assert.ok(cpu <= MAX_CPU, `${cpu} of a core`);
    assert.ok(usual <= MAX_ADMIN_MS, `${usual} ms`);
    assert.equal(metrics.sum('sluice_endpoint_up'), CLUSTERS * ENDPOINTS);
    assert.equal(metrics.sum('sluice_endpoint_probe_failures_total'), 0);
  });
});
