import { parseArgs } from 'node:util';
import type { OptionSpec } from './spec.ts';

/** An argument, as Node splits it. */
type Token = ReturnType<typeof parseArgs<{ strict: false; tokens: true }>>['tokens'][number];
export type OptionToken = Extract<Token, { kind: 'option' }>;

/**
 * Splits arguments into options and others.
 *
 * Not strict, because Node's own messages for bad arguments span three lines. So unknown options are among
 * the tokens, and an option that needs a value may have none.
 */
export function tokensOf(argv: readonly string[], options: Iterable<OptionSpec>): readonly Token[] {
  const types = Object.fromEntries(
    Array.from(options, ({ name, short, value }) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
      },
    ]),
  );
  return parseArgs({ args: [...argv], options: types, strict: false, tokens: true }).tokens;
}
