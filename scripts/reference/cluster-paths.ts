/** Paths of the keys of clusters, which are written in `clusters` or below a key `to`. */
import type { Path } from '../../src/config/syntax/source-file.ts';

/** Returns the path in `clusters` of a value below a key `to`. Other paths stay as they are. */
export function clusterPath(path: Path): Path {
  const rest = belowTarget(path);
  if (rest === null || rest.length === 0) return path;
  return ['clusters', 0, ...(typeof rest[0] === 'number' ? ['endpoints'] : []), ...rest];
}

/** Whether a path ends in a key `to`, whose value may be a cluster. */
export function isTarget(path: Path): boolean {
  return belowTarget(path)?.length === 0;
}

/** Returns the steps below a key `to` of a listener, a route or a rule. Null for another path. */
function belowTarget(path: Path): Path | null {
  const [list, , ...steps] = path;
  if (list !== 'listeners') return null;
  const [first, second] = steps;
  const isInside = first === 'routes' || first === 'passthrough';
  // A rule of passthrough may stand alone, without a list.
  const [key, ...rest] = steps.slice(!isInside ? 0 : typeof second === 'number' ? 2 : 1);
  return key === 'to' ? rest : null;
}
