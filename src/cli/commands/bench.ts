/** `sluice bench`: the load generator, which stands beside src and uses its codecs. */
import { bench } from '../../../bench/command.ts';

/** Runs it with the arguments that follow `bench`; resolves with the exit status. */
export function run(argv: readonly string[]): Promise<number> {
  return bench(argv);
}
