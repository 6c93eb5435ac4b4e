import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

/** JSON is YAML. `uniqueKeys` would take quadratic time: values.ts finds duplicate keys instead. */
export const PARSE_OPTIONS = {
  prettyErrors: false,
  stringKeys: true,
  merge: true,
  uniqueKeys: false,
  logLevel: 'error',
} as const;

let loaded: typeof Yaml | null = null;

/**
 * Loads the package yaml once. Its 72 modules take a third of the primary's time for loading packages, and
 * most files are read without it: see plain-yaml.ts.
 */
export function yaml(): typeof Yaml {
  return (loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml);
}
