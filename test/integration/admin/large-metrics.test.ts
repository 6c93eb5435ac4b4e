/** Metrics too long for one piece, as curl, promtool and a Prometheus server read them. */
import assert from 'node:assert/strict';
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { eventually } from '../../support/deadline.ts';
import { runCommand } from '../../support/processes/run-command.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { freePorts } from '../../support/sockets/free-port.ts';
import { parseExposition } from '../../unit/telemetry/exposition-parser.ts';

const CLUSTERS = 100;
const ENDPOINTS = 20;

function configOf(metrics: object): object {
  const names = Array.from({ length: CLUSTERS }, (_, index) => `cluster-${index}`);
  return {
    workers: { l7: 1, l4: 1 },
    admin: { address: '127.0.0.1:0' },
    metrics,
    listeners: [
      {
        name: 'web',
        mode: 'l7',
        address: '127.0.0.1:0',
        routes: names.map((name) => ({ name, match: { pathPrefix: `/${name}` }, cluster: name })),
      },
    ],
    clusters: names.map((name, index) => ({
      name,
      endpoints: Array.from({ length: ENDPOINTS }, (_, last) => ({
        address: `127.1.${index}.${last + 1}:1`,
      })),
    })),
  };
}

describe('the metrics of 2,000 endpoints', { timeout: 300_000 }, () => {
  const files = mkdtempSync(join(tmpdir(), 'sluice-large-metrics-'));
  let sluice: SluiceProcess;
  let prometheus: ChildProcess | null = null;
  before(async () => {
    sluice = await startSluice({ config: configOf({}) });
  });
  after(async () => {
    prometheus?.kill('SIGKILL');
    await sluice.stop();
    rmSync(files, { recursive: true, force: true });
  });

  async function curl(...args: string[]): Promise<string> {
    const url = `http://${sluice.admin}/metrics`;
    const { status, stdout } = await runCommand('curl', [
      '-sS',
      '-H',
      'Cache-Control: no-cache',
      ...args,
      url,
    ]);
    assert.equal(status, 0);
    return stdout;
  }

  /** Returns the lines of the endpoints' states: the other values change. */
  const statesIn = (text: string): string[] =>
    text.split('\n').filter((line) => line.startsWith('sluice_endpoint_up{'));

  it('are the same in chunks, in gzip, and for HTTP/1.0', async () => {
    const answers = [await curl(), await curl('--compressed'), await curl('--http1.0')];
    for (const text of answers) {
      assert.ok(text.length > 1_000_000);
      parseExposition(text, 'text');
      assert.equal(statesIn(text).length, CLUSTERS * ENDPOINTS);
    }
    parseExposition(await curl('-H', 'Accept: application/openmetrics-text'), 'openmetrics');
  });

  it('pass promtool', async () => {
    const input = await curl();
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input,
      encoding: 'utf8',
    });
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: '', stderr: '' });
  });

  it('are read by a Prometheus server', async () => {
    const [port = 0] = await freePorts(1);
    const config = join(files, 'prometheus.yml');
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: '1s', scrape_timeout: '1s' },
        scrape_configs: [{ job_name: 'sluice', static_configs: [{ targets: [sluice.admin] }] }],
      }),
    );
    prometheus = spawn(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(files, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: 'ignore' },
    );
    const ask = async (query: string): Promise<number> => {
      const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(query)}`);
      const { data } = (await answer.json()) as { data: { result: { value: [number, string] }[] } };
      return Number(data.result[0]?.value[1]);
    };
    await eventually(async () => {
      assert.equal(await ask('count(sluice_endpoint_up)'), CLUSTERS * ENDPOINTS);
      assert.equal(await ask('up'), 1);
    });
  });

  it('lose the series of endpoints by a reload, and /status keeps its endpoints', async () => {
    sluice.writeConfig(configOf({ endpoints: false }));
    sluice.kill('SIGHUP');
    await eventually(async () => {
      const text = await curl();
      assert.ok(!text.includes(`endpoint="`));
      assert.match(text, /^sluice_cluster_connections_active\{cluster="cluster-7"\} 0$/m);
    });
    const status = (await (await fetch(`http://${sluice.admin}/status`)).json()) as {
      clusters: { endpoints: object[] }[];
    };
    assert.equal(status.clusters.length, CLUSTERS);
    assert.ok(status.clusters.every(({ endpoints }) => endpoints.length === ENDPOINTS));
  });
});
