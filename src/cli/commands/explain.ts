/** `sluice explain`: explains keys of the configuration. */
import { UsageError } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { findKeys, nearKeys } from '../explain/find-keys.ts';
import { keyList, keyPage } from '../explain/key-page.ts';
import { knownKeys } from '../explain/known-keys.ts';

/**
 * Prints the key that the operand names, or a line for each key if several match.
 *
 * @returns 0
 * @throws UsageError with the nearest keys if no key matches
 */
export function run({ operands, flags }: CommandOptions): number {
  const keys = knownKeys();
  const [name] = operands;
  const found = name === undefined ? keys.children(null) : findKeys(keys, name);
  if (found.length === 0) throw new UsageError(unknown(name ?? '', nearKeys(keys, name ?? '')));
  const [first] = found;
  if (flags.has('json')) process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
  else if (found.length === 1 && first !== undefined) process.stdout.write(keyPage(keys, first));
  else
    process.stdout.write(keyList(found, name === undefined ? 'Keys of a configuration' : 'Keys that match'));
  return 0;
}

function unknown(name: string, near: readonly string[]): string {
  const hint = near.length === 0 ? 'sluice explain lists the top level' : `did you mean ${near.join(', ')}?`;
  return `there is no key ${JSON.stringify(name)}: ${hint}`;
}
