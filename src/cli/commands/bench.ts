/** `sluice bench`: the load generator. No other file in src imports from bench/. */
import { bench } from '../../../bench/command.ts';

/** Runs the load generator with the arguments after `bench`. Resolves with the exit status. */
export function run(argv: readonly string[]): Promise<number> {
  return bench(argv);
}
