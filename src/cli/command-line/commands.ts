/** All commands, in the order of the help. */
import { DRAIN, EVENTS, KICK, RELOAD, REVOKE, SESSIONS, STATUS, TOP } from './admin-commands.ts';
import { BENCH } from './bench-command.ts';
import { INIT, TO } from './edge-commands.ts';
import { COMPLETION, HELP_COMMAND, VERSION_COMMAND } from './help-commands.ts';
import { EXPLAIN, SCHEMA } from './reference-commands.ts';
import { CHECK, DEMO, PRINT_CONFIG, RUN } from './serve-commands.ts';
import { optionsIn, type CommandSpec, type OptionSpec } from './spec.ts';
import { TAP } from './tap-command.ts';

/** Groups of commands by their purpose. */
export const COMMAND_GROUPS = [
  { title: 'Start', commands: [TO, INIT, RUN] },
  { title: 'Configuration', commands: [CHECK, PRINT_CONFIG, EXPLAIN, SCHEMA] },
  {
    title: 'A running sluice',
    commands: [STATUS, TOP, EVENTS, SESSIONS, TAP, KICK, REVOKE, RELOAD, DRAIN],
  },
  { title: 'More', commands: [BENCH, DEMO, COMPLETION, HELP_COMMAND, VERSION_COMMAND] },
] as const;

export type CommandName = (typeof COMMAND_GROUPS)[number]['commands'][number]['name'];

const SPECS: readonly CommandSpec[] = COMMAND_GROUPS.flatMap(({ commands }) => [...commands]);

export const COMMANDS = SPECS.map(({ name }) => name) as readonly CommandName[];

/** Returns the description of a command. */
export function specOf(command: CommandName): CommandSpec {
  return SPECS.find(({ name }) => name === command)!;
}

/** Returns all options of a command. */
export function optionsOf(command: CommandName): readonly OptionSpec[] {
  return optionsIn(specOf(command));
}
