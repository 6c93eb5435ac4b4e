/** The description of a command: its parsing, help, completion and page of the manual come from it. */
import type { CommandParameter } from '../../protocol/admin/command-parameters.ts';

/** The value of an option, or an operand. */
export interface ValueSpec {
  /** Name in the help, such as FILE. */
  readonly name: string;
  /** What to write, for the error if the value is missing: `a file`. */
  readonly wanted: string;
  /** The possible words with their meanings, which may be empty. Missing if any text is possible. */
  readonly words?: Readonly<Record<string, string>>;
  /** Whether shells complete the names of files. */
  readonly isFile?: boolean;
  /** Ends of names that shells offer first, without the dot. Missing if any file will do. */
  readonly extensions?: readonly string[];
  /** Whether `-` (stdin) is a value. Otherwise an argument that begins with a dash is the next option. */
  readonly allowsDash?: boolean;
  /** Returns the remedy for a bad value, null for a good one. */
  readonly problem?: (text: string) => string | null;
}

export interface OptionSpec {
  /** Name without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** Missing if the option takes no value. */
  readonly value?: ValueSpec;
  /** Whether each of several occurrences counts. Otherwise the last one wins. */
  readonly isRepeatable?: boolean;
  /** A clause in lower case, without a full stop. */
  readonly help: string;
}

interface OptionGroup {
  readonly title: string;
  readonly options: readonly OptionSpec[];
}

/** A part of the help beside the options: terms and their meanings. */
interface Section {
  readonly title: string;
  readonly rows: readonly (readonly [term: string, meaning: string])[];
}

export interface CommandSpec {
  readonly name: string;
  /** A clause in lower case, for the list of commands. */
  readonly summary: string;
  /** The rest of the usage line after `sluice NAME`, one text for each form: `[OPTIONS] ID`. */
  readonly synopsis: readonly string[];
  /** Paragraphs. */
  readonly text: readonly string[];
  /** Commands to copy, with their meanings. */
  readonly examples?: readonly (readonly [command: string, meaning: string])[];
  readonly sections?: readonly Section[];
  readonly groups: readonly OptionGroup[];
  /** Paragraphs after the options. */
  readonly notes?: readonly string[];
  readonly operand?: ValueSpec & { readonly max: number };
}

/** Returns the options of all groups. */
export function optionsIn({ groups }: CommandSpec): readonly OptionSpec[] {
  return groups.flatMap(({ options }) => options);
}

/** Applies the rule of an admin parameter to an option's value. */
export function checkedBy(parameter: CommandParameter): (text: string) => string | null {
  return (text) => (parameter.parse(text) === undefined ? parameter.remedy : null);
}
