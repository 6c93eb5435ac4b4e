/** The command `npm run bench:faults`: runs every fault scenario with every peer. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../src/core/errors.ts';
import { readExpression, readOptions, runCommand, say } from '../options/command-line.ts';
import { haproxy } from '../reloadable/haproxy.ts';
import { nginx } from '../reloadable/nginx.ts';
import type { ReloadablePeer, ReloadableSetup } from '../reloadable/reloadable-peer.ts';
import { sluice, sluiceUws } from '../reloadable/sluice.ts';
import { machineText } from '../report/machine.ts';
import { REPORT_DIRECTORY, writePage } from '../report/page.ts';
import { coresToPin, pinSelf } from '../rig/pinning.ts';
import { Stage } from '../rig/stage.ts';
import {
  mergeReports,
  renderFaults,
  type FaultReport,
  type Findings,
  type ScenarioResult,
} from './report.ts';
import type { Scenario } from './scenario.ts';
import { SCENARIOS } from './scenarios/all.ts';

const PEERS = [sluice, sluiceUws, nginx, haproxy];
const USAGE = `Usage: npm run bench:faults -- [OPTIONS]

Causes reloads and faults in sluice (with both of its engines), nginx and HAProxy, and measures
what clients see.

      --peers NAMES      only these proxies, separated by commas: sluice,nginx
      --scenarios TEXT   only scenarios whose name matches a regular expression:
                         ${SCENARIOS.map(({ name }) => name).join(', ')}
      --json FILE        file for the results (bench/report/faults.json); keeps the results of
                         other scenarios and peers; builds the page bench/report/index.html again
  -h, --help             this text

Tables in Markdown on stdout, progress on stderr.
`;

/** Setup of the configurations in the report. Fixed names replace paths and ports that change in each run. */
const SHOWN: ReloadableSetup = {
  directory: '/run/peer',
  ports: { ws: 8080, wss: 8443, admin: 9090 },
  endpoints: [9001],
  certificate: { cert: 'cert.pem', key: 'key.pem', both: 'both.pem' },
  graceSeconds: null,
  idleTimeoutSeconds: 120,
  extraRoute: false,
};

process.exitCode = await runCommand('bench:faults', () => main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<string> {
  const { help, peers, scenarios, json } = readArguments(argv);
  if (help) return USAGE;
  const installed = peers.filter((peer) => peer.version() !== null);
  for (const { name } of peers.filter((peer) => !installed.includes(peer))) say(`not installed: ${name}`);
  const found = await runAll(installed, scenarios);
  const report = existsSync(json)
    ? mergeReports(JSON.parse(readFileSync(json, 'utf8')) as FaultReport, found)
    : found;
  writeFileSync(json, `${JSON.stringify(report)}\n`);
  writePage();
  return renderFaults(report);
}

async function runAll(
  peers: readonly ReloadablePeer[],
  scenarios: readonly Scenario[],
): Promise<FaultReport> {
  const cores = coresToPin();
  if (cores === null) say('cores cannot be pinned here: figures will vary more');
  else pinSelf(cores.driver);
  const stage = new Stage(cores);
  const results: ScenarioResult[] = [];
  for (const scenario of scenarios) {
    const found: Record<string, Findings> = {};
    for (const peer of peers) {
      say(`${scenario.title}: ${peer.name}`);
      try {
        found[peer.name] = await scenario.run(stage, peer);
      } finally {
        await stage.stopAll();
      }
    }
    const { name, title, text } = scenario;
    results.push({ name, title, text, peers: found });
  }
  return {
    date: new Date().toISOString().slice(0, 10),
    machine: machineText(),
    versions: Object.fromEntries(peers.map((peer) => [peer.name, peer.version() ?? ''])),
    configs: Object.fromEntries(peers.map((peer) => [peer.name, peer.configuration(SHOWN)])),
    scenarios: results,
  };
}

interface FaultOptions {
  readonly help: boolean;
  readonly peers: readonly ReloadablePeer[];
  readonly scenarios: readonly Scenario[];
  readonly json: string;
}

function readArguments(argv: readonly string[]): FaultOptions {
  const { peers, scenarios, json, help } = readOptions(argv, {
    peers: { type: 'string' },
    scenarios: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  const names = peers?.toLowerCase().split(',');
  const unknown = names?.find((name) => !PEERS.some((peer) => peer.name.toLowerCase() === name));
  if (unknown !== undefined) {
    throw new UsageError(`--peers ${unknown}: there are ${PEERS.map(({ name }) => name).join(', ')}`);
  }
  const expression = readExpression('--scenarios', scenarios ?? '');
  const chosen = SCENARIOS.filter(({ name }) => expression.test(name));
  if (chosen.length === 0) throw new UsageError('--scenarios: no scenario has this name, see --help');
  return {
    help: help ?? false,
    peers: PEERS.filter(({ name }) => names?.includes(name.toLowerCase()) ?? true),
    scenarios: chosen,
    json: json ?? join(REPORT_DIRECTORY, 'faults.json'),
  };
}
