import type { Command } from '../model/commands.ts';
import { drain, rebalance, undrain } from '../model/commands.ts';
import type { ClusterRow, EndpointRow, Row } from '../model/cluster-rows.ts';
import { NONE, ago, count, latency, plural, rate } from '../model/format.ts';
import { make, makeButton, setAttribute, setCount, setPill, setShown, setText } from './dom.ts';
import type { RowNodes, TableColumn } from './table.ts';

export const CLUSTER_COLUMNS: readonly TableColumn[] = [
  { id: 'name', label: 'Endpoint', canSort: true },
  { id: 'state', label: 'State', canSort: true },
  { id: 'since', label: 'Since', canSort: true, isNumber: true },
  { id: 'connections', label: 'Connections', canSort: true, isNumber: true, title: 'Open now' },
  { id: 'rate', label: 'Answers/s', canSort: true, isNumber: true, title: 'In the last 10 to 20 seconds' },
  {
    id: 'mean',
    label: 'Mean answer',
    canSort: true,
    isNumber: true,
    title: 'In the last 10 to 20 seconds; since the start in grey',
  },
  {
    id: 'errors',
    label: '5xx',
    canSort: true,
    isNumber: true,
    title: 'Answers with a status of 500 and above',
  },
  {
    id: 'failures',
    label: 'Failed dials',
    canSort: true,
    isNumber: true,
    title: 'Connections that could not be made',
  },
  { id: 'ejections', label: 'Ejections', canSort: true, isNumber: true },
  { id: 'commands', label: '' },
];

/** The context that rows share. */
interface RowContext {
  /** Time of the last frame, in milliseconds since 1970. */
  readonly now: () => number;
  /** Longest mean time in the table, in seconds. Bars are fractions of it. */
  readonly slowest: () => number;
  readonly onCommand: (command: Command) => void;
  /** Opens or closes a cluster. */
  readonly onToggle: (cluster: string, isOpen: boolean) => void;
  /** Whether rows name the clusters of their endpoints. */
  readonly namesClusters: () => boolean;
}

const STATE_TONES: Readonly<Record<string, string>> = {
  up: 'ok',
  down: 'bad',
  ejected: 'bad',
  draining: 'warn',
};

/** Fills the nodes of a new row. Returns a function that shows an item in them. */
export function makeClusterRow(nodes: RowNodes, item: Row, context: RowContext): (item: Row) => void {
  const update = item.kind === 'cluster' ? clusterUpdater(nodes, context) : endpointUpdater(nodes, context);
  return update as (item: Row) => void;
}

function clusterUpdater({ row, cells }: RowNodes, context: RowContext): (item: ClusterRow) => void {
  let shown: ClusterRow | null = null;
  row.className = 'cluster';
  const toggle = makeButton('', () => {
    if (shown !== null) context.onToggle(shown.cluster.name, !shown.isOpen);
  });
  toggle.className = 'toggle';
  const facts = make('small', { class: 'muted' });
  cells.name!.append(toggle, facts);
  const pill = make('span', { class: 'pill' });
  cells.state!.append(pill);
  const drainButton = makeButton('', () => {
    if (shown === null) return;
    const { name, drained, connections } = shown.cluster;
    context.onCommand(
      drained ? undrain({ kind: 'cluster', name }) : drain({ kind: 'cluster', name }, connections),
    );
  });
  const rebalanceButton = makeButton('Rebalance', () => {
    if (shown !== null) context.onCommand(rebalance(shown.cluster.name));
  });
  cells.commands!.append(make('span', { class: 'row-buttons' }, drainButton, rebalanceButton));
  return (item) => {
    shown = item;
    const { cluster, isOpen } = item;
    setText(toggle, cluster.name);
    setAttribute(toggle, 'aria-expanded', String(isOpen));
    const { text, tone } = clusterState(item);
    setPill(pill, text, tone);
    setText(facts, clusterFacts(item));
    const limit = cluster.maxConnections > 0 ? ` / ${count(cluster.maxConnections)}` : '';
    setText(cells.connections!, `${count(cluster.connections)}${limit}`);
    setText(cells.rate!, rate(item.rate));
    setText(cells.mean!, latency(item.mean));
    setCount(cells.errors!, count(item.serverErrors));
    setCount(cells.failures!, count(item.connectFailures));
    setCount(cells.ejections!, count(item.ejections));
    setText(drainButton, cluster.drained ? 'Undrain' : 'Drain');
    setAttribute(drainButton, 'aria-label', `${drainButton.textContent} cluster ${cluster.name}`);
    setAttribute(rebalanceButton, 'aria-label', `Rebalance cluster ${cluster.name}`);
  };
}

function clusterState({ cluster }: ClusterRow): { readonly text: string; readonly tone: string } {
  const { panic, drained, endpointsUp, endpointCount } = cluster;
  if (drained) return { text: 'draining', tone: 'warn' };
  if (panic) return { text: 'panic', tone: 'bad' };
  if (endpointCount === 0) return { text: 'no endpoints', tone: 'bad' };
  const tone = endpointsUp === endpointCount ? 'ok' : endpointsUp === 0 ? 'bad' : 'warn';
  return { text: `${count(endpointsUp)} of ${count(endpointCount)} up`, tone };
}

function clusterFacts({ cluster, isOpen }: ClusterRow): string {
  const { balancer, retries, rejections, endpoints, endpointCount } = cluster;
  return [
    balancer.replaceAll('_', ' '),
    retries === null || retries === 0 ? '' : `${count(retries)} retries`,
    rejections === null || rejections === 0 ? '' : `${count(rejections)} rejected`,
    isOpen && endpoints.length < endpointCount
      ? `${count(endpoints.length)} of ${plural(endpointCount, 'endpoint')} here`
      : '',
  ]
    .filter(Boolean)
    .join(', ');
}

function endpointUpdater({ row, cells }: RowNodes, context: RowContext): (item: EndpointRow) => void {
  let shown: EndpointRow | null = null;
  row.className = 'endpoint';
  const name = make('span', { class: 'address' });
  const facts = make('small', { class: 'muted' });
  cells.name!.append(name, facts);
  const pill = make('span', { class: 'pill' });
  const slow = make('span', { class: 'pill', 'data-tone': 'warn' }, 'slow');
  cells.state!.append(pill, slow);
  const bar = make('span', { class: 'bar' });
  const mean = make('span');
  cells.mean!.append(mean, make('span', { class: 'bar-place' }, bar));
  const button = makeButton('', () => {
    if (shown === null) return;
    const { cluster, address, state, connections } = shown.endpoint;
    const scope = { kind: 'endpoint', cluster, name: address } as const;
    context.onCommand(state === 'draining' ? undrain(scope) : drain(scope, connections));
  });
  cells.commands!.append(make('span', { class: 'row-buttons' }, button));
  return (item) => {
    shown = item;
    const { endpoint } = item;
    const { address, cluster, state } = endpoint;
    setText(name, address);
    setText(facts, endpointFacts(item, context.namesClusters()));
    setPill(pill, state, STATE_TONES[state] ?? 'quiet');
    setShown(slow, endpoint.isSlow);
    setText(cells.since!, ago(endpoint.since, context.now()));
    setText(cells.connections!, count(endpoint.connections));
    setText(cells.rate!, rate(endpoint.rate));
    setText(mean, latency(endpoint.mean));
    setAttribute(mean, 'class', endpoint.isRecent ? null : 'muted');
    const share =
      endpoint.mean === null ? 0 : endpoint.mean / Math.max(context.slowest(), endpoint.mean, 1e-9);
    bar.style.width = `${Math.round(share * 100)}%`;
    setAttribute(bar, 'data-tone', endpoint.isSlow ? 'warn' : null);
    setCount(cells.errors!, count(endpoint.serverErrors));
    setCount(cells.failures!, count(endpoint.connectFailures));
    setCount(cells.ejections!, count(endpoint.ejections));
    setText(button, state === 'draining' ? 'Undrain' : 'Drain');
    setAttribute(button, 'aria-label', `${button.textContent} endpoint ${address} of cluster ${cluster}`);
  };
}

function endpointFacts({ endpoint }: EndpointRow, namesCluster: boolean): string {
  const { cluster, reason, weight, priority, probeSeconds } = endpoint;
  return [
    namesCluster ? cluster : '',
    reason,
    weight === 1 ? '' : `weight ${weight}`,
    priority === 0 ? '' : `priority ${priority}`,
    probeSeconds === null ? '' : `probe ${latency(probeSeconds)}`,
  ]
    .filter((text) => text !== '' && text !== NONE)
    .join(', ');
}
