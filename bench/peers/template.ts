import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Setup } from './peer.ts';

const PLACE = /\{\{(\w+)\}\}/g;

/**
 * Reads a configuration from this directory.
 *
 * @param values values for some placeholders. The other placeholders stay, such as ports and files
 */
export function readTemplate(name: string, values: Readonly<Record<string, string>> = {}): string {
  const text = readFileSync(join(import.meta.dirname, name), 'utf8');
  return text.replace(PLACE, (place, key: string) => values[key] ?? place);
}

/**
 * Writes a configuration from this directory into the peer's own directory, without placeholders.
 *
 * Values for `{{name}}`: the ports `ws`, `wss`, `tcp` and `endpoint`, the files `cert`, `key` and `both`,
 * `directory`, and those in `more`.
 *
 * @returns the path of the written file
 */
export function writeConfig(name: string, setup: Setup, more: Readonly<Record<string, string>> = {}): string {
  const { directory, ports, endpoint, certificate } = setup;
  const values: Readonly<Record<string, unknown>> = {
    ...ports,
    endpoint,
    ...certificate,
    directory,
    ...more,
  };
  const text = readTemplate(name).replace(PLACE, (_, key: string) => {
    if (!(key in values)) throw new Error(`${name}: there is no {{${key}}}`);
    return String(values[key]);
  });
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}
