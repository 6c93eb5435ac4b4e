/** Formats problems for stderr. */
import type { ConfigProblem } from '../core/errors.ts';
import { ConfigError, StartError, UsageError, messageOf } from '../core/errors.ts';
import { printable } from '../telemetry/output/printable.ts';

/** Returns one line per warning of a configuration. */
export function warningLines(warnings: readonly ConfigProblem[]): string {
  return printable(warnings.map(({ place, message }) => `warning: ${place}: ${message}\n`).join(''));
}

/**
 * Returns the text and the exit status for an error of a command.
 *
 * @param command the command whose help explains bad usage. Null for the general help
 */
export function describeFailure(
  thrown: unknown,
  command: string | null = null,
): { readonly text: string; readonly status: number } {
  if (thrown instanceof UsageError) {
    const help = command === null ? 'sluice help' : `sluice help ${command}`;
    return { text: printable(`sluice: ${thrown.message}\nTry ${help}.\n`), status: 2 };
  }
  if (thrown instanceof ConfigError) {
    return { text: `${printable(`${thrown.message}\n`)}${warningLines(thrown.warnings)}`, status: 1 };
  }
  if (thrown instanceof StartError) return { text: printable(`sluice: ${thrown.message}\n`), status: 1 };
  const trace = thrown instanceof Error ? thrown.stack : undefined;
  return { text: `sluice: internal error: ${trace ?? messageOf(thrown)}\n`, status: 1 };
}
