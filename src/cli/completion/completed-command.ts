/** The facts about a command that the scripts of all shells need. */
import { COMMANDS, optionsOf, specOf, type CommandName } from '../command-line/commands.ts';
import type { OptionSpec, ValueSpec } from '../command-line/spec.ts';

export interface CompletedCommand {
  readonly name: CommandName;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  /** Null if the command has no operand. */
  readonly operand: ValueSpec | null;
}

/** Returns all commands. The operand of `help` is one of them. */
export function completedCommands(): readonly CompletedCommand[] {
  const names = Object.fromEntries(COMMANDS.map((name) => [name, specOf(name).summary]));
  return COMMANDS.map((name) => {
    const { summary, operand = null } = specOf(name);
    return {
      name,
      summary,
      options: optionsOf(name),
      operand: name === 'help' && operand !== null ? { ...operand, words: names } : operand,
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
