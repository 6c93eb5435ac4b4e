/** Commands about sluice itself. */
import { HELP } from './shared-options.ts';
import type { CommandSpec } from './spec.ts';

export const COMPLETION = {
  name: 'completion',
  summary: 'prints the completion script of a shell',
  synopsis: ['SHELL'],
  text: [
    'Prints a script that completes commands, options, words, keys of the configuration and names of files. SHELL is bash, zsh or fish.',
  ],
  operand: { name: 'SHELL', wanted: 'a shell', max: 1, words: { bash: '', zsh: '', fish: '' } },
  examples: [
    ['source <(sluice completion bash)', 'in ~/.bashrc'],
    ['source <(sluice completion zsh)', 'in ~/.zshrc, after compinit'],
    ['sluice completion fish | source', 'in ~/.config/fish/config.fish'],
  ],
  groups: [{ title: 'Options', options: [HELP] }],
} as const satisfies CommandSpec;

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
