/**
 * Merges the root settings from their sources: defaults, the file, the environment and `--set`. Later sources
 * take precedence.
 */
import { isAbsolute } from 'node:path';
import convict from 'convict';
import { below } from '../syntax/hints/elsewhere.ts';
import { FormatError } from '../syntax/formats.ts';
import { nearest } from '../syntax/hints/nearest.ts';
import { parseOverride, replaceIn } from '../syntax/override.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Located } from '../syntax/section.ts';
import { isMapping, notMapping, readValue, unknownKey } from '../syntax/section.ts';
import type { Path } from '../syntax/source-file.ts';
import { parseValue } from '../syntax/source-file.ts';
import type { Setting, SettingPath, SettingValue } from './root-settings.ts';
import { SETTINGS } from './root-settings.ts';
import { CLUSTER_KEYS } from './cluster/cluster.ts';
import { LISTENER_KEYS } from './listener/listener-keys.ts';
import { ROUTE_KEYS } from './route/route.ts';
import { STICKY_SECRET_VARIABLE, stickySecret } from './cluster/sticky.ts';

const PATHS = Object.keys(SETTINGS) as SettingPath[];
const ENVIRONMENT = new Map(PATHS.map((path) => [environmentName(path), path]));

/** The keys of the root (''), and of each group. */
const GROUPS = new Map<string, readonly string[]>();
for (const path of PATHS) {
  const [group, key] = path.split('.') as [string, string | undefined];
  GROUPS.set('', [...new Set([...(GROUPS.get('') ?? []), group])]);
  if (key !== undefined) GROUPS.set(group, [...(GROUPS.get(group) ?? []), key]);
}

/** Keys of listeners and clusters. A group may have some of them, too, but they are rarely meant for it. */
const OF_LISTS = [...LISTENER_KEYS, ...CLUSTER_KEYS];
const ROOT = {
  what: 'a configuration',
  notes: { accessLog: 'unknown key "accessLog" in a configuration: write log: { access: ... }' },
  elsewhere: [
    ...[...GROUPS].flatMap(([group, keys]) =>
      group === ''
        ? []
        : [
            below(
              group,
              keys.filter((key) => !OF_LISTS.includes(key)),
            ),
          ],
    ),
    { keys: LISTENER_KEYS, write: 'listeners: [{ KEY: ... }]' },
    {
      keys: ROUTE_KEYS.filter((key) => !LISTENER_KEYS.includes(key)),
      write: 'listeners: [{ routes: [{ KEY: ... }] }]',
    },
    { keys: CLUSTER_KEYS, write: 'clusters: [{ KEY: ... }]' },
  ],
};

const SCHEMA = schema();

/** Settings whose values may be large. */
const LISTS: readonly string[] = ['listeners', 'clusters'] satisfies SettingPath[];

/** Values of the root settings, merged from all sources. */
export class Settings {
  /** Secret of sticky cookies from the environment. Null for none. */
  stickySecret: string | null = null;
  /** Absolute path of the state directory that the service manager provides. Null for none. */
  readonly stateDirectory: string | null;
  readonly #problems: Problems;
  readonly #store: convict.Config<Record<string, unknown>>;
  /** The {@link LISTS} of the file and of `--set`, kept here because convict copies a value at each read. */
  readonly #lists = new Map<string, unknown>();
  readonly #fromEnvironment = new Set<SettingPath>();

  /** Reads the environment, which takes effect with {@link loadFile}. */
  constructor(env: Readonly<Record<string, string | undefined>>, problems: Problems) {
    this.#problems = problems;
    this.stateDirectory = stateDirectoryOf(env);
    // Convict would convert any text to true, and "12abc" to 12. So values are parsed as YAML first.
    this.#store = convict(SCHEMA, { env: this.#readEnvironment(env), args: [] });
  }

  /** Sets the values of the file. The environment takes precedence over them. */
  loadFile(root: unknown): void {
    this.#assign([], root);
    this.#store.load({});
    for (const path of this.#fromEnvironment) this.#lists.delete(path);
  }

  /** Sets one `path=value`, which takes precedence over all earlier values. */
  override(textual: string): void {
    const override = parseOverride(textual);
    const place = `--set ${override.path.join('.')}`;
    if (override.path[0] === 'include') {
      this.#problems.errorAt(place, 'only a file can include files: write include there');
      return;
    }
    const leaf = leafOf(override.path);
    if (leaf === null) {
      this.#problems.overridden(override.path, place);
      this.#assign(
        [],
        override.path.reduceRight((below, step) => new Map([[step, below]]), override.value),
      );
      return;
    }
    const depth = leaf.split('.').length;
    const below = override.path.slice(depth);
    const current = this.#get(leaf);
    // A switch that is on may become a mapping: `log.access`.
    const target = current === true && below.length > 0 ? new Map() : current;
    const replaced = replaceIn(target, below, override.value);
    if (replaced.error !== null) {
      this.#problems.errorAt(place, replaced.error);
      return;
    }
    const path = [...override.path.slice(0, depth), ...replaced.path];
    this.#problems.overridden(path, place);
    if (path.length === depth) this.#assign(path, replaced.value);
    else this.#set(leaf, replaced.value);
  }

  /** Returns the effective value. If it is invalid, adds an error and returns the placeholder. */
  read<P extends SettingPath>(path: P): SettingValue<P> {
    const { format, placeholder } = SETTINGS[path] as Setting<SettingValue<P>>;
    const value = this.#get(path);
    return readValue(value, path.split('.'), this.#problems, format, placeholder);
  }

  /** Returns the entries of a list. Null if it is missing, empty if it is invalid. */
  elements(
    path: 'listeners' | 'clusters' | 'admin.hosts' | 'admin.tapRedact',
  ): readonly Located<unknown>[] | null {
    const isSingle = path.startsWith('admin.');
    const at = path.split('.');
    if (isSingle) this.#problems.observer?.single?.(at);
    const isList = Array.isArray(this.#get(path));
    return this.read(path)?.map((value, index) => ({ value, path: isList ? [...at, index] : at })) ?? null;
  }

  /** Distributes a mapping over the settings below a path. */
  #assign(path: Path, value: unknown): void {
    const name = path.join('.');
    const keys = GROUPS.get(name);
    if (keys === undefined) {
      if (value === null && SETTINGS[name as SettingPath].default !== null) {
        this.#problems.valueError(path, 'the value is empty: write one, or leave the key out');
      } else {
        this.#set(name, value);
      }
      return;
    }
    // A group is null if all of its keys are commented out.
    if (value === null) return;
    const shape = name === '' ? { ...ROOT, keys: ['include', ...keys] } : { what: `"${name}"`, keys };
    if (!isMapping(value)) {
      this.#problems.valueError(path, notMapping(value, shape));
      return;
    }
    for (const [key, below] of value) {
      if (keys.includes(key)) this.#assign([...path, key], below);
      else this.#problems.keyError([...path, key], unknownKey(key, shape));
    }
  }

  #get(path: string): unknown {
    return this.#lists.has(path) ? this.#lists.get(path) : this.#store.get(path);
  }

  #set(path: string, value: unknown): void {
    if (LISTS.includes(path)) this.#lists.set(path, value);
    else this.#store.set(path, value);
  }

  #readEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
    const values: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(env)) {
      // Many tools unset a variable by setting it to the empty text.
      if (!name.startsWith('SLUICE_') || value === undefined || value === '') continue;
      if (name === STICKY_SECRET_VARIABLE) {
        this.#readStickySecret(value);
        continue;
      }
      const path = ENVIRONMENT.get(name);
      if (path !== undefined) {
        const parsed = parseValue(value);
        values[name] = parsed;
        this.#fromEnvironment.add(path);
        this.#problems.overridden(path.split('.'), `environment ${name}`);
        if (typeof parsed === 'string') this.#problems.outside.setByVariable(path.split('.'), name, value);
        continue;
      }
      // Other programs may use such names: Kubernetes sets SLUICE_PORT for a service called sluice.
      const near = nearest(name, [...ENVIRONMENT.keys(), STICKY_SECRET_VARIABLE]);
      if (near !== undefined) {
        this.#problems.warningAt(`environment ${name}`, `sets nothing: did you mean ${near}?`);
      }
    }
    return values as NodeJS.ProcessEnv;
  }

  /** Reads the value as text: YAML would turn digits into a number. */
  #readStickySecret(value: string): void {
    try {
      this.stickySecret = stickySecret(value);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#problems.errorAt(`environment ${STICKY_SECRET_VARIABLE}`, error.message);
    }
  }
}

/** Returns the first directory of `StateDirectory=` (systemd.exec(5)). */
function stateDirectoryOf(env: Readonly<Record<string, string | undefined>>): string | null {
  const [first = ''] = (env.STATE_DIRECTORY ?? '').split(':');
  return isAbsolute(first) ? first : null;
}

function environmentName(path: string): string {
  return `SLUICE_${path.replaceAll('.', '_').toUpperCase()}`;
}

/** Returns the setting at or above a path. Null for a group, or a path without a setting. */
function leafOf(path: Path): SettingPath | null {
  const name = path.join('.');
  return PATHS.find((leaf) => name === leaf || name.startsWith(`${leaf}.`)) ?? null;
}

/**
 * Builds convict's schema. Registers each format under the path of its setting, because convict converts
 * values of unnamed formats by the type of their default.
 */
function schema(): convict.Schema<Record<string, unknown>> {
  const root: Record<string, unknown> = {};
  for (const path of PATHS) {
    const { doc, format, default: fallback } = SETTINGS[path];
    convict.addFormat({ name: path, validate: (value: unknown) => void format(value) });
    const entry = { doc, format: path, default: fallback, env: environmentName(path) };
    const [group, key] = path.split('.') as [string, string | undefined];
    if (key === undefined) root[group] = entry;
    else root[group] = { ...(root[group] as object | undefined), [key]: entry };
  }
  return root as convict.Schema<Record<string, unknown>>;
}
