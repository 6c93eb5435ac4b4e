/** Command lines of the benchmarks that npm scripts start. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError, messageOf } from '../../src/core/errors.ts';

type Options = NonNullable<ParseArgsConfig['options']>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: T }>>['values'];

/**
 * Runs a command, and writes its result to stdout.
 *
 * @param run returns the result. Throws UsageError for bad usage
 * @returns the exit status: 0 on success, 1 for a failure, 2 for bad usage
 */
export async function runCommand(name: string, run: () => string | Promise<string>): Promise<number> {
  try {
    process.stdout.write(await run());
    return 0;
  } catch (error) {
    process.stderr.write(`${name}: ${messageOf(error)}\n`);
    return error instanceof UsageError ? 2 : 1;
  }
}

/** Reads options with Node's `parseArgs`. @throws UsageError in one line */
export function readOptions<const T extends Options>(argv: readonly string[], options: T): Values<T> {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    // Drops Node's advice after the first sentence.
    throw new UsageError(`${messageOf(error).split(/\.\s/)[0]!}: see --help`);
  }
}

/** Parses the regular expression of an option. @throws UsageError */
export function readExpression(option: string, text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new UsageError(`${option} ${text}: not a regular expression`);
  }
}

/** Writes a line of progress to stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}
