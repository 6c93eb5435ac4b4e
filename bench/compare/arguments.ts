import { join } from 'node:path';
import { UsageError } from '../../src/core/errors.ts';
import { parseDuration } from '../../src/core/units/duration.ts';
import { readExpression, readOptions } from '../options/command-line.ts';
import { REPORT_DIRECTORY } from '../report/page.ts';

export const USAGE = `Usage: npm run bench:compare -- [OPTIONS]

Does the same work over sluice, with both of its engines, and over every other proxy that is
installed, in turn.

      --peers NAMES     only those whose names are given, with commas: sluice,nginx
      --cases TEXT      only cases whose name matches a regular expression: 'ws echo'
      --rounds N        how often each is measured (3); figures are medians
  -d, --duration TIME   how long each run is measured; without it so long that all is
                        done in about 18 minutes, 3s at most
      --no-idle         leaves the memory of idle connections out
      --json FILE       the file for all figures (bench/report/comparison.json);
                        the page bench/report/index.html is written again with them
      --append          adds the rounds to those that the file has
      --overview        one table for each figure instead of one for each case
  -h, --help            this text

Tables in Markdown on stdout, progress on stderr.
`;

export interface CompareOptions {
  readonly help: boolean;
  /** In lower case; null for all. */
  readonly peers: readonly string[] | null;
  readonly cases: RegExp;
  readonly rounds: number;
  /** Null to fit all cases into the usual total time. */
  readonly durationMs: number | null;
  readonly idle: boolean;
  readonly json: string;
  readonly append: boolean;
  readonly overview: boolean;
}

/**
 * Reads the command line.
 *
 * @throws UsageError in one line
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
