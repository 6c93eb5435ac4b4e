/** Loads configurations written in tests. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadConfig } from '../../../src/config/loader.ts';
import type { ItemMemory } from '../../../src/config/syntax/item-memory.ts';
import type { L7Listener } from '../../../src/config/types/listener.ts';
import type { Route } from '../../../src/config/types/route.ts';
import { ConfigError } from '../../../src/core/errors.ts';

type Loaded = ReturnType<typeof loadConfig>;

export interface Extras {
  readonly overrides?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Files beside the configuration, by their relative path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  /** Max open descriptors of the process; left out for no limit. */
  readonly descriptorLimit?: number;
  /** Items of earlier loads. Omit it for a load that reads everything. */
  readonly memory?: ItemMemory;
}

const scratch: string[] = [];
process.once('exit', () => {
  for (const directory of scratch) rmSync(directory, { recursive: true, force: true });
});

/** Returns a new directory, which is removed when the process ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-config-'));
  scratch.push(directory);
  return directory;
}

const directory = scratchDirectory();

/** Loads a text as `${directory}/sluice.yaml`. */
export function load(
  text: string,
  { overrides = [], env = {}, files = {}, descriptorLimit, memory }: Extras = {},
): Loaded {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, name)), { recursive: true });
    writeFileSync(join(directory, name), content);
  }
  writeFileSync(join(directory, 'sluice.yaml'), text);
  const file = join(directory, 'sluice.yaml');
  return loadConfig({ file, overrides, env, descriptorLimit: descriptorLimit ?? null }, memory);
}

/**
 * Returns every error of a text as `line:column: message`, or `place: message` for a place outside the file.
 */
export function errorsOf(text: string, extras: Extras = {}): string[] {
  try {
    load(text, extras);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ place, message }) => `${shorten(place)}: ${shorten(message)}`);
  }
}

/** Returns the error of a text that is refused. */
export function refusalOf(text: string): ConfigError {
  try {
    load(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('the configuration is valid');
}

/** Every warning of a text, in the same form. */
export function warningsOf(text: string, extras: Extras = {}): string[] {
  return load(text, extras).warnings.map(({ place, message }) => `${shorten(place)}: ${shorten(message)}`);
}

/** The directory of the files of {@link load}. */
export function inDirectory(name: string): string {
  return join(directory, name);
}

/** A configuration with a listener of each mode and one cluster. A root key can be added on line 7. */
export const MINIMAL = `
listeners:
  - { name: web, mode: l7, address: ':8080', routes: [{ match: {}, cluster: app }] }
  - { name: tcp, mode: l4, address: '127.0.0.1:8081', cluster: app }
clusters:
  - { name: app, endpoints: [{ address: 'app.internal:9001' }] }
`;

/** Returns a whole configuration around the keys of an L7 listener, one per line from line 5 on. */
export function l7(...lines: readonly string[]): string {
  return [
    'clusters: [{ name: app, endpoints: [{ address: "127.0.0.1:9001" }] }]',
    'listeners:',
    '  - name: web',
    '    mode: l7',
    ...lines.map((line) => `    ${line}`),
    ...(lines.some((line) => line.startsWith('address:')) ? [] : ['    address: 127.0.0.1:8080']),
    ...(lines.some((line) => line.startsWith('routes:'))
      ? []
      : ['    routes: [{ match: {}, cluster: app }]']),
    '',
  ].join('\n');
}

/** Returns a whole configuration around routes, one per line from line 6 on. */
export function routes(...lines: readonly string[]): string {
  return l7('routes:', ...lines.map((line) => `  - ${line}`));
}

/** Returns a whole configuration around the keys of a cluster called app, one per line from line 4 on. */
export function cluster(...lines: readonly string[]): string {
  return [
    'listeners: [{ name: tcp, mode: l4, address: "127.0.0.1:8080", cluster: app }]',
    'clusters:',
    '  - name: app',
    ...lines.map((line) => `    ${line}`),
    ...(lines.some((line) => line.startsWith('endpoints:'))
      ? []
      : ['    endpoints: [{ address: "127.0.0.1:9001" }]']),
    '',
  ].join('\n');
}

/** Returns the first listener, which must be of mode l7. */
export function l7Of({ config }: Loaded): L7Listener {
  const [listener] = config.listeners;
  if (listener?.mode !== 'l7') throw new Error('the first listener is not of mode l7');
  return listener;
}

/** Returns the first route of the first listener. */
export function routeOf(loaded: Loaded): Route {
  return l7Of(loaded).routes[0]!;
}

function shorten(text: string): string {
  return text.replaceAll(`${directory}/sluice.yaml:`, '').replaceAll(`${directory}/`, '');
}
