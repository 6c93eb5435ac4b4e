import type { DrainScope } from '../../protocol/to-worker.ts';
import type { ClusterMonitors } from '../clusters/cluster-monitors.ts';
import type { Drains } from './drains.ts';
import type { Supervisor } from '../workers/supervisor.ts';

/** Whether the configuration in use has a scope. */
export function hasScope(
  { config: { listeners } }: Supervisor,
  clusters: ClusterMonitors,
  scope: DrainScope,
): boolean {
  switch (scope.kind) {
    case 'all':
      return true;
    case 'listener':
      return listeners.some(({ name }) => name === scope.name);
    case 'cluster':
      return clusters.find(scope.name) !== undefined;
    case 'endpoint':
      return clusters.find(scope.cluster)?.find(scope.name) !== undefined;
  }
}

/** What drains work on: that an endpoint takes nothing new is part of its state. */
export function drainable(
  supervisor: Supervisor,
  clusters: ClusterMonitors,
): ConstructorParameters<typeof Drains>[0] {
  const setDraining = (scope: DrainScope, draining: boolean): void => {
    if (scope.kind !== 'endpoint') return;
    const record = clusters.find(scope.cluster)?.find(scope.name);
    record?.setDraining(draining, draining ? 'drained by an operator' : 'undrained by an operator');
  };
  return {
    count: (scope) => supervisor.count(scope),
    drain: (scope, settings) => {
      setDraining(scope, true);
      supervisor.drain(scope, settings);
    },
    undrain: (scope) => {
      setDraining(scope, false);
      supervisor.undrain(scope);
    },
  };
}
