/** Commands that describe the configuration. */
import { HELP } from './shared-options.ts';
import type { CommandSpec } from './spec.ts';

export const EXPLAIN = {
  name: 'explain',
  summary: 'explains a key of the configuration',
  synopsis: ['[OPTIONS] [KEY]'],
  text: [
    'Prints what a key does, its type, its default and an example. The end of a path is enough if only one key has it. Without a key, lists the keys of the top level.',
  ],
  examples: [
    ['sluice explain listeners.tls.minVersion', 'by its path'],
    ['sluice explain minVersion', 'by its name alone'],
    ['sluice explain listeners.http', 'a mapping: lists its keys'],
  ],
  operand: { name: 'KEY', wanted: 'a key', max: 1 },
  groups: [
    { title: 'Options', options: [{ name: 'json', help: 'a JSON array of the keys that match' }, HELP] },
  ],
} as const satisfies CommandSpec;

export const SCHEMA = {
  name: 'schema',
  summary: 'prints the JSON Schema of the configuration, for editors',
  synopsis: [''],
  text: [
    'Prints the JSON Schema (draft 7) of the configuration. Editors complete and check a file that names it in its first line: # yaml-language-server: $schema=./sluice.schema.json',
  ],
  examples: [['sluice schema > sluice.schema.json', 'saves it beside the configuration']],
  groups: [{ title: 'Options', options: [HELP] }],
} as const satisfies CommandSpec;
