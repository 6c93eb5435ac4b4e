/**
 * Where the settings of the root come from: their defaults, the file, the environment and `--set`. A later source wins over
 * an earlier one.
 */
import { isAbsolute } from 'node:path';
import convict from 'convict';
import { FormatError } from '../syntax/formats.ts';
import { nearest } from '../syntax/nearest.ts';
import { parseOverride, replaceIn } from '../syntax/override.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Located } from '../syntax/section.ts';
import { isMapping, notMapping, readValue, unknownKey } from '../syntax/section.ts';
import type { Path } from '../syntax/source-file.ts';
import { parseValue } from '../syntax/source-file.ts';
import type { Setting, SettingPath, SettingValue } from './root-settings.ts';
import { SETTINGS } from './root-settings.ts';
import { stickySecret } from './sticky.ts';

/** Overrides the secrets of all clusters: entries of a list have no own variables. */
const STICKY_SECRET = 'SLUICE_STICKY_SECRET';

const PATHS = Object.keys(SETTINGS) as SettingPath[];
const ENVIRONMENT = new Map(PATHS.map((path) => [environmentName(path), path]));

/** The keys of the root (''), and of each group. */
const GROUPS = new Map<string, readonly string[]>();
for (const path of PATHS) {
  const [group, key] = path.split('.') as [string, string | undefined];
  GROUPS.set('', [...new Set([...(GROUPS.get('') ?? []), group])]);
  if (key !== undefined) GROUPS.set(group, [...(GROUPS.get(group) ?? []), key]);
}

const SCHEMA = schema();

/** Settings whose values may be large. */
const LISTS: readonly string[] = ['listeners', 'clusters'] satisfies SettingPath[];

/** The values of the root's settings from all sources. */
export class Settings {
  /** The secret of sticky cookies from the environment; null for none. */
  stickySecret: string | null = null;
  /** Absolute path of the directory that the service manager keeps for this service; null for none. */
  readonly stateDirectory: string | null;
  readonly #problems: Problems;
  readonly #store: convict.Config<Record<string, unknown>>;
  /** The {@link LISTS} of the file and of `--set`: convict copies a value whenever it is read. */
  readonly #lists = new Map<string, unknown>();
  readonly #fromEnvironment = new Set<SettingPath>();

  /** Reads the environment. It takes effect with {@link loadFile}. */
  constructor(env: Readonly<Record<string, string | undefined>>, problems: Problems) {
    this.#problems = problems;
    this.stateDirectory = stateDirectoryOf(env);
    // Convict would convert any text to true, and "12abc" to 12, so values are parsed as YAML first.
    this.#store = convict(SCHEMA, { env: this.#readEnvironment(env), args: [] });
  }

  /** Sets the values of the file. The environment wins over them. */
  loadFile(root: unknown): void {
    this.#assign([], root);
    this.#store.load({});
    for (const path of this.#fromEnvironment) this.#lists.delete(path);
  }

  /** Sets one `path=value`, which wins over everything before. */
  override(textual: string): void {
    const override = parseOverride(textual);
    const place = `--set ${override.path.join('.')}`;
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
    // A switch that is on may be a mapping: `log.access`.
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

  /** Returns the value in force. Adds an error and returns the placeholder if it is bad. */
  read<P extends SettingPath>(path: P): SettingValue<P> {
    const { format, placeholder } = SETTINGS[path] as Setting<SettingValue<P>>;
    const value = this.#get(path);
    return readValue(value, path.split('.'), this.#problems, format, placeholder);
  }

  /** Returns the entries of a list: null if it is missing, none if it cannot be used. */
  elements(
    path: 'listeners' | 'clusters' | 'admin.hosts' | 'admin.tapRedact',
  ): readonly Located<unknown>[] | null {
    return this.read(path)?.map((value, index) => ({ value, path: [...path.split('.'), index] })) ?? null;
  }

  /** Spreads a mapping over the settings below a path. */
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
    // A group whose keys are all commented out is null.
    if (value === null) return;
    const shape = { what: name === '' ? 'a configuration' : `"${name}"`, keys };
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
      // Many tools set a variable to the empty text to unset it.
      if (!name.startsWith('SLUICE_') || value === undefined || value === '') continue;
      if (name === STICKY_SECRET) {
        this.#readStickySecret(value);
        continue;
      }
      const path = ENVIRONMENT.get(name);
      if (path !== undefined) {
        values[name] = parseValue(value);
        this.#fromEnvironment.add(path);
        this.#problems.overridden(path.split('.'), `environment ${name}`);
        continue;
      }
      // Other programs may use such names: Kubernetes sets SLUICE_PORT for a service called sluice.
      const near = nearest(name, [...ENVIRONMENT.keys(), STICKY_SECRET]);
      if (near !== undefined) {
        this.#problems.warningAt(`environment ${name}`, `sets nothing: did you mean ${near}?`);
      }
    }
    return values as NodeJS.ProcessEnv;
  }

  /** Reads the text as it is: as YAML, digits would be a number. */
  #readStickySecret(value: string): void {
    try {
      this.stickySecret = stickySecret(value);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#problems.errorAt(`environment ${STICKY_SECRET}`, error.message);
    }
  }
}

/** Returns the first of the directories of `StateDirectory=` (systemd.exec(5)). */
function stateDirectoryOf(env: Readonly<Record<string, string | undefined>>): string | null {
  const [first = ''] = (env.STATE_DIRECTORY ?? '').split(':');
  return isAbsolute(first) ? first : null;
}

function environmentName(path: string): string {
  return `SLUICE_${path.replaceAll('.', '_').toUpperCase()}`;
}

/** Returns the setting at or above a path; null for a group, and for a path without a setting. */
function leafOf(path: Path): SettingPath | null {
  const name = path.join('.');
  return PATHS.find((leaf) => name === leaf || name.startsWith(`${leaf}.`)) ?? null;
}

/**
 * Builds convict's schema. Each format is registered under the path of its setting: convict converts values of formats
 * without a name by the type of their default.
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
