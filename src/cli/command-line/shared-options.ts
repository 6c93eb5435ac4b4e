/** Options and values that several commands have. */
import type { OptionSpec, ValueSpec } from './spec.ts';

const OVERRIDE: ValueSpec = {
  name: 'PATH=VALUE',
  wanted: 'path=value',
  problem: (text) => (text.indexOf('=') < 1 ? 'write path=value, such as --set log.level=debug' : null),
};

export const HELP = { name: 'help', short: 'h', help: 'this text' } as const satisfies OptionSpec;

/** Options of every command that reads a configuration. */
export const CONFIG_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'config',
    short: 'c',
    value: {
      name: 'FILE',
      wanted: 'a file',
      isFile: true,
      extensions: ['yaml', 'yml', 'json'],
      allowsDash: true,
    },
    help: 'the configuration, YAML or JSON; by default $SLUICE_CONFIG, ./sluice.yaml, then /etc/sluice/sluice.yaml',
  },
  {
    name: 'set',
    value: OVERRIDE,
    isRepeatable: true,
    help: 'overrides one value of the file and the environment; may be repeated: --set log.level=debug --set listeners.0.address=:8080',
  },
  HELP,
];

/** Values of options. */
export const NAME: ValueSpec = { name: 'NAME', wanted: 'a name' };
export const ENDPOINT: ValueSpec = { name: 'ADDRESS', wanted: 'an address' };
export const CLIENT: ValueSpec = { name: 'ADDRESS', wanted: 'an IP address' };
export const PRINCIPAL: ValueSpec = { name: 'NAME', wanted: 'a name, such as jwt:alice or alice' };
export const FILE: ValueSpec = { name: 'FILE', wanted: 'a file', isFile: true };
export const DURATION: ValueSpec = { name: 'TIME', wanted: 'a duration, such as 5m' };
