import type { AdminCommand } from './admin-command.ts';
import type { ClusterMonitor } from '../clusters/cluster-monitor.ts';
import type { ClusterMonitors } from '../clusters/cluster-monitors.ts';

type Result = Awaited<ReturnType<AdminCommand['run']>>;

const MOST_PER_SECOND = 100_000;

/** What an operator may have done to clusters. */
export function clusterCommands(clusters: ClusterMonitors): AdminCommand[] {
  const withCluster = (name: string, run: (monitor: ClusterMonitor) => Result): Result => {
    const monitor = clusters.find(name);
    if (monitor !== undefined) return run(monitor);
    const names = clusters.all.map(({ config }) => config.name);
    return { status: 404, body: `there is no cluster ${name}; there is: ${names.join(', ')}` };
  };
  return [
    {
      path: '/clusters/NAME/rebalance',
      run: ([name = ''], query) =>
        withRate(query, (perSecond) =>
          withCluster(name, (monitor) => {
            const evicting = clusters.rebalance(monitor, perSecond ?? undefined);
            return { status: 202, body: { cluster: name, evicting } };
          }),
        ),
    },
  ];
}

/** Runs with `rate`, connections in a second, or null where the query has none. */
function withRate(query: URLSearchParams, run: (perSecond: number | null) => Result): Result {
  const text = query.get('rate');
  if (text === null) return run(null);
  const rate = /^\d+$/.test(text) ? Number(text) : 0;
  if (rate >= 1 && rate <= MOST_PER_SECOND) return run(rate);
  return {
    status: 400,
    body: `rate is not a number of connections in a second: write 1 to ${MOST_PER_SECOND}`,
  };
}
