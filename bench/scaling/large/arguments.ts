import { UsageError } from '../../../src/core/errors.ts';
import { readOptions } from '../../options/command-line.ts';
import { DIMENSIONS } from './cost-lines.ts';
import { MAX_ENDPOINTS, USUAL_SIZES, type LargeSizes } from './sizes.ts';

export const USAGE = `Usage: npm run bench:scaling -- --config [OPTIONS]

Generates a large configuration and measures its costs: the start, reloads that change one route, a page
of metrics, and one more worker, cluster, endpoint and route. Runs dist/main.js: first run "npm run build".

      --clusters N     clusters (${USUAL_SIZES.clusters})
      --endpoints N    endpoints of each cluster (${USUAL_SIZES.endpoints})
      --routes N       routes of the one listener (${USUAL_SIZES.routes})
      --workers N      worker threads at layer 7 (${USUAL_SIZES.workers})
      --reloads N      reloads to measure (50)
      --rounds N       starts of each configuration for the costs of one more part (3)
      --only PARTS     only these parts, separated by commas: start,reloads,metrics, and
                       worker,cluster,endpoint,route for the cost of one more
      --peers          also measures HAProxy if it is installed
      --write FILE     file for the tables
  -h, --help           this text

Tables in Markdown on stdout, progress on stderr.
`;

export const PARTS = ['start', 'reloads', 'metrics', ...DIMENSIONS] as const;
export type Part = (typeof PARTS)[number];

export interface LargeOptions {
  readonly help: boolean;
  readonly sizes: LargeSizes;
  readonly reloads: number;
  readonly rounds: number;
  readonly parts: readonly Part[];
  readonly peers: boolean;
  /** Null for none. */
  readonly write: string | null;
}

const MAX_COUNT = 100_000;

/**
 * Reads the command line.
 *
 * @throws UsageError in one line
 */
export function parseLargeArguments(argv: readonly string[]): LargeOptions {
  const values = readOptions(argv, {
    config: { type: 'boolean' },
    clusters: { type: 'string' },
    endpoints: { type: 'string' },
    routes: { type: 'string' },
    workers: { type: 'string' },
    reloads: { type: 'string' },
    rounds: { type: 'string' },
    only: { type: 'string' },
    peers: { type: 'boolean' },
    write: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  });
  const sizes: LargeSizes = {
    clusters: countOf('clusters', values.clusters, USUAL_SIZES.clusters),
    endpoints: countOf('endpoints', values.endpoints, USUAL_SIZES.endpoints),
    routes: countOf('routes', values.routes, USUAL_SIZES.routes),
    workers: countOf('workers', values.workers, USUAL_SIZES.workers, 64),
  };
  if (sizes.clusters * sizes.endpoints > MAX_ENDPOINTS) {
    throw new UsageError(
      `--endpoints ${sizes.endpoints}: all clusters together have ${MAX_ENDPOINTS} at most`,
    );
  }
  return {
    help: values.help ?? false,
    sizes,
    reloads: countOf('reloads', values.reloads, 50),
    rounds: countOf('rounds', values.rounds, 3, 100),
    parts: partsOf(values.only),
    peers: values.peers ?? false,
    write: values.write ?? null,
  };
}

function countOf(name: string, text: string | undefined, otherwise: number, max = MAX_COUNT): number {
  if (text === undefined) return otherwise;
  const value = /^\d+$/.test(text) ? Number(text) : NaN;
  if (!(value > 0 && value <= max)) {
    throw new UsageError(`--${name} ${text}: write a whole number from 1 to ${max}`);
  }
  return value;
}

function partsOf(text: string | undefined): readonly Part[] {
  if (text === undefined) return PARTS;
  return text.split(',').map((name) => {
    const part = PARTS.find((known) => known === name);
    if (part === undefined) throw new UsageError(`--only ${name}: there are ${PARTS.join(', ')}`);
    return part;
  });
}
