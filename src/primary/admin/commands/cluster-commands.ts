import { REBALANCE_RATE } from '../../../protocol/admin/command-parameters.ts';
import type { ClusterMonitors } from '../../clusters/cluster-monitors.ts';
import type { AdminCommand, CommandResult } from './admin-command.ts';
import { parameterOf } from './parameters.ts';

type Clusters = Pick<ClusterMonitors, 'all' | 'find' | 'rebalance'>;

/** Returns the commands that change one cluster. */
export function clusterCommands(clusters: Clusters): readonly AdminCommand[] {
  return [
    { path: '/clusters/NAME/rebalance', run: ([name = ''], query) => rebalance(clusters, name, query) },
  ];
}

function rebalance(clusters: Clusters, name: string, query: URLSearchParams): CommandResult {
  const perSecond = parameterOf(query, 'rate', REBALANCE_RATE) ?? undefined;
  const monitor = clusters.find(name);
  if (monitor === undefined) {
    const names = clusters.all.map(({ config }) => config.name);
    const remedy = names.length === 0 ? 'the configuration has none' : `write one of ${names.join(', ')}`;
    return { status: 404, message: `there is no cluster ${name}: ${remedy}` };
  }
  const evicting = clusters.rebalance(monitor, perSecond);
  const connections = Object.values(evicting).reduce((sum, count) => sum + count, 0);
  const message =
    connections === 0
      ? `cluster ${name} is already balanced`
      : `ending ${connections} connections to balance cluster ${name}`;
  return { status: 202, message, fields: { cluster: name, evicting } };
}
