/** The facts about a command that the scripts of all shells need. */
import { COMMANDS, optionsOf, specOf, type CommandName } from '../command-line/commands.ts';
import type { OptionSpec, ValueSpec } from '../command-line/spec.ts';
import { knownKeys } from '../explain/known-keys.ts';

export interface CompletedCommand {
  readonly name: CommandName;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Null if the command has no operand. */
  readonly operand: ValueSpec | null;
}

/** Returns all commands. The operand of `help` is one of them, and that of `explain` a key. */
export function completedCommands(): readonly CompletedCommand[] {
  const operands: Partial<Record<CommandName, ValueSpec['words']>> = {
    help: Object.fromEntries(COMMANDS.map((name) => [name, specOf(name).summary])),
    explain: Object.fromEntries(knownKeys().paths.map((path) => [path, ''])),
  };
  return COMMANDS.map((name) => {
    const { summary, operand = null } = specOf(name);
    const words = operands[name];
    return {
      name,
      summary,
      options: optionsOf(name),
      operand: operand === null || words === undefined ? operand : { ...operand, words },
    };
  });
}

/** Returns the spellings of an option: `--config` and `-c`. */
export function spellings({ name, short }: OptionSpec): readonly string[] {
  return [`--${name}`, ...(short === undefined ? [] : [`-${short}`])];
}

/** Quotes a text for a POSIX shell and for zsh. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
