/** Writes the Grafana dashboard: `npm run docs:dashboard`. A test compares the file with the result. */
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { layOut } from './dashboard/panel.ts';
import { PART_ROWS } from './dashboard/part-rows.ts';
import { TRAFFIC_ROWS } from './dashboard/traffic-rows.ts';

const FILE = join(resolve(import.meta.dirname, '..'), 'deploy/grafana/sluice.json');
const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

if (process.argv[1] === import.meta.filename) writeFileSync(FILE, await dashboardText());

/** Returns the expected text of deploy/grafana/sluice.json. */
export async function dashboardText(): Promise<string> {
  const dashboard = {
    __inputs: [],
    __requires: [{ type: 'grafana', id: 'grafana', name: 'Grafana', version: '11.0.0' }],
    uid: 'sluice',
    title: 'sluice',
    description: 'Sessions, handshakes, endpoints, errors, workers and control of sluice.',
    tags: ['sluice', 'websocket', 'proxy'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-1h', to: 'now' },
    timezone: 'browser',
    templating: { list: variables() },
    annotations: { list: [reloads()] },
    links: [],
    panels: layOut([...TRAFFIC_ROWS, ...PART_ROWS]),
  };
  return format(JSON.stringify(dashboard), { ...(await resolveConfig(FILE)), parser: 'json' });
}

function variables(): object[] {
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', hide: 0 },
    variable('job', 'Job', 'label_values(sluice_build_info, job)'),
    variable('instance', 'Instance', 'label_values(sluice_build_info{job=~"$job"}, instance)'),
    variable(
      'listener',
      'Listener',
      'label_values(sluice_connections_total{job=~"$job",instance=~"$instance"}, listener)',
    ),
    variable(
      'cluster',
      'Cluster',
      'label_values(sluice_cluster_endpoints{job=~"$job",instance=~"$instance"}, cluster)',
    ),
  ];
}

function variable(name: string, label: string, query: string): object {
  return {
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query, refId: name },
    definition: query,
    refresh: 2,
    sort: 1,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
    hide: 0,
  };
}

function reloads(): object {
  return {
    name: 'Reloads',
    datasource: DATASOURCE,
    enable: true,
    iconColor: 'blue',
    expr: 'changes(sluice_config_generation{job=~"$job",instance=~"$instance"}[$__rate_interval]) > 0',
    titleFormat: 'reload of {{instance}}',
  };
}
