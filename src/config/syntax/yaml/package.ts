import { createRequire } from 'node:module';
import type * as Yaml from 'yaml';

/** JSON is YAML. `uniqueKeys` takes quadratic time: yaml-values.ts finds keys that are set twice. */
export const PARSE_OPTIONS = {
  prettyErrors: false,
  stringKeys: true,
  merge: true,
  uniqueKeys: false,
  logLevel: 'error',
} as const;

let loaded: typeof Yaml | null = null;

/**
 * Loads the package yaml once. It has 72 modules, which take a third of the time in which the primary loads packages, and most
 * files are read without it: see plain-yaml.ts.
 */
export function yaml(): typeof Yaml {
  return (loaded ??= createRequire(import.meta.url)('yaml') as typeof Yaml);
}
