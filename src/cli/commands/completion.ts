/** `sluice completion`: prints the completion script of a shell. */
import { UsageError } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { bashScript } from '../completion/bash.ts';
import { fishScript } from '../completion/fish.ts';
import { zshScript } from '../completion/zsh.ts';

const SCRIPTS: Readonly<Record<string, () => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
};

/**
 * Prints the script.
 *
 * @returns 0
 * @throws UsageError if no shell is given
 */
export function run({ operands: [shell] }: CommandOptions): number {
  const script = SCRIPTS[shell ?? ''];
  if (script === undefined) throw new UsageError('completion needs the shell: write bash, zsh or fish');
  process.stdout.write(script());
  return 0;
}
