import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Setup } from './peer.ts';

/** A configuration of this directory as it stands, with its places for ports and files. */
export function readTemplate(name: string): string {
  return readFileSync(join(import.meta.dirname, name), 'utf8');
}

/**
 * Writes a configuration of this directory into the peer's own, with every `{{name}}` replaced: the ports `ws`,
 * `wss`, `tcp` and `endpoint`, the files `cert`, `key` and `both`, and `directory`.
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
  const text = readTemplate(name).replace(/\{\{(\w+)\}\}/g, (_, key: string) => {
    if (!(key in values)) throw new Error(`${name}: there is no {{${key}}}`);
    return String(values[key]);
  });
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}
