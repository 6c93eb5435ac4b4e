/** Commands that run the proxy, or work with a configuration. */
import { CONFIG_OPTIONS } from './shared-options.ts';
import type { CommandSpec } from './spec.ts';

export const RUN = {
  name: 'run',
  summary: 'runs the proxy',
  synopsis: ['[OPTIONS]'],
  text: ['Runs the proxy until a signal stops it.'],
  groups: [
    {
      title: 'Options',
      options: [
        {
          name: 'test',
          short: 't',
          help: 'checks the configuration and exits: same as sluice check',
        },
        {
          name: 'watch',
          help: 'reloads when the configuration or a file that it names changes',
        },
        {
          name: 'takeover',
          help: 'replaces the sluice that runs with the same admin address, without refusing a connection; the old process then drains',
        },
        ...CONFIG_OPTIONS,
      ],
    },
  ],
  sections: [
    {
      title: 'Signals',
      rows: [
        [
          'SIGTERM, SIGINT',
          'stop: end all connections within shutdown.grace; a second signal ends them at once',
        ],
        ['SIGHUP', 'reload the configuration; keep the old one if it is not valid'],
        ['SIGUSR1', 'reopen the log files'],
        ['SIGUSR2', 'start the version on disk with --takeover'],
      ],
    },
  ],
} as const satisfies CommandSpec;

export const CHECK = {
  name: 'check',
  summary: 'validates a configuration',
  synopsis: ['[OPTIONS]'],
  text: [
    'Validates a configuration and every file that it names. Each error is one line on stderr: FILE:LINE:COLUMN: MESSAGE. Warnings begin with "warning:". With -c -, the configuration is read from standard input, and relative paths start at the working directory.',
  ],
  groups: [{ title: 'Options', options: CONFIG_OPTIONS }],
  notes: ['Exit status: 0 if the configuration is valid, 1 if not.'],
} as const satisfies CommandSpec;

export const PRINT_CONFIG = {
  name: 'print-config',
  summary: 'prints the effective configuration, defaults included',
  synopsis: ['[OPTIONS]'],
  text: [
    'Prints the effective configuration as YAML: the file, the environment, --set, and the defaults of all other settings. With -c -, the file is read from standard input, and relative paths start at the working directory.',
  ],
  groups: [{ title: 'Options', options: CONFIG_OPTIONS }],
} as const satisfies CommandSpec;

export const DEMO = {
  name: 'demo',
  summary: "runs only the demo's servers",
  synopsis: ['[OPTIONS]'],
  text: [
    "Runs only the demo's WebSocket servers, on the endpoints of the clusters that the setting demo names.",
  ],
  groups: [{ title: 'Options', options: CONFIG_OPTIONS }],
} as const satisfies CommandSpec;
