/** `sluice bench`: the load generator. The only file of src that imports from bench/. */
import { bench } from '../../../bench/command.ts';

/** Runs the load generator with the arguments that follow `bench`; resolves with the exit status. */
export function run(argv: readonly string[]): Promise<number> {
  return bench(argv);
}
