/** Commands about sluice itself. */
import { HELP } from './shared-options.ts';
import type { CommandSpec } from './spec.ts';

export const HELP_COMMAND = {
  name: 'help',
  summary: 'explains a command',
  synopsis: ['[COMMAND]'],
  text: ['Prints the commands, or the help of one command.'],
  operand: { name: 'COMMAND', wanted: 'a command', max: 1 },
  groups: [{ title: 'Options', options: [HELP] }],
} as const satisfies CommandSpec;

export const VERSION_COMMAND = {
  name: 'version',
  summary: 'prints the version',
  synopsis: [''],
  text: ['Prints the version of sluice.'],
  groups: [{ title: 'Options', options: [HELP] }],
} as const satisfies CommandSpec;
