/** The tables of `sluice top`, made from a frame. */
import type { LiveFrame } from '../../protocol/admin/live.ts';
import { count, percent, rate, seconds } from './figures.ts';
import type { Style } from '../terminal/line.ts';
import type { LiveModel } from './rates.ts';
import type { Cell, Column, Row, Table } from './table-layout.ts';

type Cluster = LiveFrame['clusters'][number];
type Endpoint = Cluster['endpoints'][number];

/** Min busy fractions of an event loop that need attention. */
const BUSY_SHARE = 0.8;
const VERY_BUSY_SHARE = 0.95;
/** Min lag that needs attention: it delays every message of the worker. */
const LAG_SECONDS = 0.1;
/** A certificate that expires within this time needs attention. */
const CERTIFICATE_DAYS = 14;
/** Width at which most IPv4 addresses with a port stay whole. */
const ADDRESS_WIDTH = 18;
const DAY_MS = 86_400_000;

const STATE_STYLES: Readonly<Record<string, Style>> = {
  up: 'good',
  down: 'bad',
  ejected: 'bad',
  stuck: 'bad',
  ended: 'bad',
  draining: 'warn',
  drained: 'warn',
  panic: 'bad',
  waiting: 'warn',
  starting: 'warn',
};

/** Returns one row per cluster. */
export function clusterTable(model: LiveModel): Table {
  const { clusters } = model.frame;
  return {
    empty: 'no clusters',
    columns: [
      name('CLUSTER', 0),
      word('STATE', 0),
      number('UP', 0),
      number('CONNS', 0),
      number('MAX', 5),
      number('ANS/S', 1),
      number('5XX/S', 2),
      number('FAIL/S', 2),
      number('RETRY/S', 3),
      number('REJECT/S', 3),
      word('BALANCER', 6),
    ],
    rows: clusters.map((cluster): Row => {
      const ratio = cluster.endpointCount === 0 ? 1 : cluster.endpointsUp / cluster.endpointCount;
      const up: Cell = {
        text: `${cluster.endpointsUp}/${cluster.endpointCount}`,
        order: ratio,
        style: ratio === 0 ? 'bad' : ratio < 1 ? 'warn' : 'plain',
      };
      const full = cluster.maxConnections > 0 && cluster.connections >= cluster.maxConnections;
      const rateOf = (counter: 'answers' | 'serverErrors' | 'connectFailures'): number | null =>
        sumOfRates(cluster.endpoints.map((endpoint) => model.endpointRate(cluster, endpoint, counter)));
      return {
        cells: [
          { text: cluster.name },
          state(
            cluster.panic ? 'panic' : cluster.drained ? 'drained' : cluster.endpointsUp > 0 ? 'up' : 'down',
          ),
          up,
          { ...figure(cluster.connections), style: full ? 'bad' : 'plain' },
          cluster.maxConnections === 0 ? { text: '-', order: null } : figure(cluster.maxConnections),
          rateCell(rateOf('answers')),
          rateCell(rateOf('serverErrors'), 'bad'),
          rateCell(rateOf('connectFailures'), 'bad'),
          rateCell(model.clusterRate(cluster, 'retries'), 'warn'),
          rateCell(model.clusterRate(cluster, 'rejections'), 'bad'),
          { text: cluster.balancer },
        ],
      };
    }),
  };
}

/**
 * Returns one row per endpoint.
 *
 * @param wanted selects endpoints; all by default
 */
export function endpointTable(model: LiveModel, wanted: (endpoint: Endpoint) => boolean = () => true): Table {
  return {
    empty: 'no endpoints',
    columns: [
      name('CLUSTER', 0),
      name('ENDPOINT', 0, ADDRESS_WIDTH),
      word('STATE', 0),
      number('CONNS', 0),
      number('ANS/S', 1),
      number('MEAN', 0),
      number('5XX/S', 3),
      number('FAILS', 2),
      number('EJECTED', 5),
      number('PROBE', 4),
      number('FOR', 6),
      number('WEIGHT', 7),
      number('PRIO', 8),
    ],
    rows: model.frame.clusters.flatMap((cluster) =>
      cluster.endpoints.filter(wanted).map((endpoint) => endpointRow(model, cluster, endpoint)),
    ),
  };
}

function endpointRow(model: LiveModel, cluster: Cluster, endpoint: Endpoint): Row {
  const since = Date.parse(endpoint.since);
  const ageSeconds = Number.isFinite(since) ? Math.max(0, (model.frame.at - since) / 1000) : null;
  const mean = model.meanAnswer(cluster, endpoint);
  const failing = (model.endpointRate(cluster, endpoint, 'connectFailures') ?? 0) > 0;
  return {
    cells: [
      { text: cluster.name },
      { text: endpoint.address },
      state(endpoint.state),
      figure(endpoint.connections),
      rateCell(model.endpointRate(cluster, endpoint, 'answers')),
      { text: seconds(mean), order: mean },
      rateCell(model.endpointRate(cluster, endpoint, 'serverErrors'), 'bad'),
      { ...figure(endpoint.connectFailures), style: failing ? 'bad' : 'plain' },
      figure(endpoint.ejections),
      { text: seconds(endpoint.probeSeconds), order: endpoint.probeSeconds },
      { text: ageSeconds === null ? '-' : largestUnit(ageSeconds), order: ageSeconds },
      { text: String(endpoint.weight), order: endpoint.weight },
      figure(endpoint.priority),
    ],
    ...(endpoint.state !== 'up' && { note: endpoint.reason }),
  };
}

/** Returns one row per worker. */
export function workerTable({ frame }: LiveModel): Table {
  return {
    empty: 'no workers',
    columns: [
      name('WORKER', 0),
      word('STATE', 0),
      number('CONNS', 0),
      number('BUSY', 0),
      number('LAG', 0),
      number('RESTARTS', 1),
      number('OLDER', 2),
      number('GENERATION', 3),
    ],
    rows: frame.workers.map((worker) => ({
      cells: [
        { text: worker.name },
        state(worker.state),
        figure(worker.connections),
        {
          text: percent(worker.eventLoopUtilization),
          order: worker.eventLoopUtilization,
          style: attention(worker.eventLoopUtilization, BUSY_SHARE, VERY_BUSY_SHARE),
        },
        {
          text: seconds(worker.lagSeconds),
          order: worker.lagSeconds,
          style: attention(worker.lagSeconds, LAG_SECONDS / 2, LAG_SECONDS),
        },
        { ...figure(worker.restarts), style: worker.restarts > 0 ? 'warn' : 'plain' },
        figure(worker.olderConnections),
        figure(worker.generation),
      ],
    })),
  };
}

/** Returns one row per kind and reason of errors: highest rate first, then highest total. */
export function errorTable(model: LiveModel): Table {
  const errors = model.frame.errors
    .map((error) => ({ ...error, rate: model.errorRate(error) }))
    .toSorted((a, b) => (b.rate ?? 0) - (a.rate ?? 0) || b.count - a.count);
  return {
    empty: 'no errors since the start',
    columns: [name('ERROR', 0), name('REASON', 0), number('RATE/S', 0), number('TOTAL', 0)],
    rows: errors.map((error) => ({
      cells: [
        { text: error.kind },
        { text: error.reason },
        rateCell(error.rate, 'bad'),
        { ...figure(error.count), text: String(error.count) },
      ],
    })),
  };
}

/** Returns one row per listener, with its certificate that expires first. */
export function listenerTable({ frame }: LiveModel): Table {
  return {
    empty: 'no listeners',
    columns: [
      name('LISTENER', 0),
      word('MODE', 0),
      name('ADDRESS', 0, ADDRESS_WIDTH),
      number('CONNS', 0),
      word('ENGINE', 1),
      number('CERT', 2),
      word('STATE', 3),
      name('WHY THIS ENGINE', 4),
    ],
    rows: frame.listeners.map((listener) => {
      const ends = listener.certificates.map(({ notAfter }) => Date.parse(notAfter)).filter(Number.isFinite);
      const days = ends.length === 0 ? null : Math.floor((Math.min(...ends) - frame.at) / DAY_MS);
      return {
        cells: [
          { text: listener.name },
          { text: listener.tls ? `${listener.mode} tls` : listener.mode },
          { text: listener.address },
          figure(listener.connections),
          { text: listener.engine },
          {
            text: days === null ? '-' : `${days}d`,
            order: days,
            style: days === null ? 'plain' : days < 0 ? 'bad' : days < CERTIFICATE_DAYS ? 'warn' : 'plain',
          },
          state(listener.drained ? 'drained' : 'up'),
          { text: listener.engineReason },
        ],
      };
    }),
  };
}

/** Creates a column of names, which may be cut. */
function name(head: string, rank: number, min = 8): Column {
  return { head, align: 'left', rank, min };
}

/** Creates a column of words, which stay whole. */
function word(head: string, rank: number): Column {
  return { head, align: 'left', rank };
}

function number(head: string, rank: number): Column {
  return { head, align: 'right', rank };
}

function state(text: string): Cell {
  return { text, style: STATE_STYLES[text] ?? 'plain' };
}

function figure(value: number): Cell {
  return { text: count(value), order: value };
}

function rateCell(value: number | null, style: Style = 'plain'): Cell {
  return { text: rate(value), order: value, style: value !== null && value > 0 ? style : 'plain' };
}

function sumOfRates(rates: readonly (number | null)[]): number | null {
  const known = rates.filter((each) => each !== null);
  return known.length === 0 ? null : known.reduce((sum, each) => sum + each, 0);
}

function attention(value: number, warn: number, bad: number): Style {
  return value >= bad ? 'bad' : value >= warn ? 'warn' : 'plain';
}

function largestUnit(total: number): string {
  if (total >= DAY_MS / 1000) return `${Math.floor(total / 86_400)}d`;
  if (total >= 3600) return `${Math.floor(total / 3600)}h`;
  if (total >= 60) return `${Math.floor(total / 60)}m`;
  return `${Math.floor(total)}s`;
}
