/**
 * Writes the tables of docs/reference/metrics.md from the source: `npm run docs:metrics`. A test compares the
 * file with the result.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { readProcessFamilies } from '../src/telemetry/exposition/process-families.ts';
import type { Metric } from '../src/telemetry/metrics/metric.ts';
import { pageShapes } from '../src/telemetry/metrics/page-shapes.ts';
import { primaryMetrics } from '../src/telemetry/metrics/primary-metrics.ts';

const FILE = join(resolve(import.meta.dirname, '..'), 'docs/reference/metrics.md');
const BEGIN = '<!-- Made by npm run docs:metrics. -->';
const TITLES: Readonly<Record<keyof typeof pageShapes, string>> = {
  process: 'Buffers and ends, over all workers',
  worker: 'Threads of workers',
  cluster: 'Clusters',
  endpoint: 'Endpoints',
  listener: 'Listeners',
  l7Listener: 'Listeners of layer 7',
  limit: 'Limits',
  route: 'Requests',
  sessions: 'WebSocket sessions',
  handshakes: 'WebSocket handshakes',
  tunnels: 'Tunnels',
};

if (process.argv[1] === import.meta.filename) writeFileSync(FILE, await metricsPage());

/** Returns the expected docs/reference/metrics.md: its hand-written text, and the tables. */
export async function metricsPage(): Promise<string> {
  const [text] = readFileSync(FILE, 'utf8').split(BEGIN);
  const parts = [text!, BEGIN, '## Written by workers', 'Each series is the sum over all workers.'];
  for (const [name, { series }] of Object.entries(pageShapes)) {
    const metrics = [...new Set(series.map(({ metric }) => metric))];
    parts.push(`### ${TITLES[name as keyof typeof pageShapes]}`, tableOf(metrics));
  }
  parts.push('## Written by the primary', tableOf(Object.values<Metric>(primaryMetrics)));
  const families = await readProcessFamilies();
  const rows = families.map(({ name, type, help }) => [`\`${name}\``, type, help.replace(/\.$/, '')]);
  parts.push('## The process and Node', 'From prom-client.', table(['metric', 'type', 'what'], rows));
  return format(parts.join('\n\n'), { ...(await resolveConfig(FILE)), parser: 'markdown' });
}

function tableOf(metrics: readonly Metric[]): string {
  const rows = metrics.map(({ name, kind, labels, help, sparse }) => [
    `\`${name}\``,
    sparse === true ? `${kind}, sparse` : kind,
    labels.map((label) => `\`${label}\``).join(' '),
    help,
  ]);
  return table(['metric', 'type', 'labels', 'what'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => '---'), ...rows];
  return lines
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
