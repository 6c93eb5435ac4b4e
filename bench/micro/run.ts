/**
 * Times each part of the hot path separately: `npm run bench:micro -- [FILTER] [--json]`. FILTER is a regular
 * expression for the names of cases.
 */
import { parseArgs } from 'node:util';
import { bench, do_not_optimize, group, run } from 'mitata';
import { messageOf } from '../../src/core/errors.ts';
import { SUITE_NAMES, casesOf } from './suites.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  let filter: RegExp;
  let json: boolean;
  try {
    const options = { json: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    filter = new RegExp(positionals[0] ?? '');
    json = values.json;
  } catch (error) {
    process.stderr.write(
      `bench:micro: ${messageOf(error)}\nusage: npm run bench:micro -- [FILTER] [--json]\n`,
    );
    return 2;
  }
  for (const suite of SUITE_NAMES) {
    try {
      const cases = await casesOf(suite);
      group(suite, () => {
        for (const { name, run } of cases) bench(name, () => kept(run()));
      });
    } catch (error) {
      // The base revision of `bench:branch` may lack the measured code.
      process.stderr.write(`bench:micro: ${suite} is left out: ${messageOf(error)}\n`);
    }
  }
  const { benchmarks } = await run({ filter, throw: true, format: json ? 'quiet' : 'mitata' });
  if (json) {
    const medians = benchmarks.flatMap(({ alias, runs }) => {
      const stats = runs[0]?.stats;
      return stats === undefined ? [] : [[alias, stats.p50] as const];
    });
    process.stdout.write(`${JSON.stringify(Object.fromEntries(medians))}\n`);
  }
  return 0;
}

/** Keeps a result from being optimized away. Returns the result, because mitata waits for promises. */
function kept(result: unknown): unknown {
  do_not_optimize(result);
  return result;
}
