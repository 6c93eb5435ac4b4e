import { join } from 'node:path';
import { UsageError } from '../../src/core/errors.ts';
import { parseDuration } from '../../src/core/units/duration.ts';
import { readExpression, readOptions } from '../options/command-line.ts';
import { REPORT_DIRECTORY } from '../report/page.ts';

export const USAGE = `Usage: npm run bench:compare -- [OPTIONS]

Measures sluice, with both of its engines, and every other proxy that is installed. All get
the same work, in turn.

      --peers NAMES     only these proxies, separated by commas: sluice,nginx
      --cases TEXT      only cases whose name matches a regular expression: 'ws echo'
      --rounds N        rounds of each case (3); figures are medians
  -d, --duration TIME   time to measure each run; by default at most 3s, so that the whole
                        comparison takes about 18 minutes
      --no-idle         does not measure the memory of idle connections
      --json FILE       file for all figures (bench/report/comparison.json); builds the
                        page bench/report/index.html again
      --append          adds the rounds to the figures in the file
      --overview        one table per figure instead of one per case
  -h, --help            this text

Tables in Markdown on stdout, progress on stderr.
`;

export interface CompareOptions {
  readonly help: boolean;
  /** Names in lower case; null for all peers. */
  readonly peers: readonly string[] | null;
  readonly cases: RegExp;
  readonly rounds: number;
  /** Null to fit all runs into the default time budget. */
  readonly durationMs: number | null;
  readonly idle: boolean;
  readonly json: string;
  readonly append: boolean;
  readonly overview: boolean;
}

/**
 * Reads the command line.
 *
 * @throws UsageError with a one-line message
 */
export function parseCompareArguments(argv: readonly string[]): CompareOptions {
  const values = readOptions(argv, {
    peers: { type: 'string' },
    cases: { type: 'string' },
    rounds: { type: 'string' },
    duration: { type: 'string', short: 'd' },
    'no-idle': { type: 'boolean' },
    json: { type: 'string' },
    append: { type: 'boolean' },
    overview: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  });
  const rounds = Number(values.rounds ?? 3);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 100) {
    throw new UsageError(`--rounds ${values.rounds ?? ''}: write a whole number from 1 to 100`);
  }
  const { duration } = values;
  const durationMs = duration === undefined ? null : parseDuration(duration, 's');
  if (durationMs === undefined || durationMs === 0) {
    throw new UsageError(`--duration ${duration ?? ''}: write a time such as 500ms or 2s`);
  }
  return {
    help: values.help ?? false,
    peers: values.peers?.toLowerCase().split(',') ?? null,
    cases: readExpression('--cases', values.cases ?? ''),
    rounds,
    durationMs,
    idle: values['no-idle'] !== true,
    json: values.json ?? join(REPORT_DIRECTORY, 'comparison.json'),
    append: values.append ?? false,
    overview: values.overview ?? false,
  };
}
