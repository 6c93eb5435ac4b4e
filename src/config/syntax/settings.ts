/** The settings of the root and where each may come from: default, file, environment, `--set`, the later the stronger. */
import convict from 'convict';
import { MAX_DURATION_MS } from '../../core/units/duration.ts';
import type { Format } from './formats.ts';
import {
  FormatError,
  adminToken,
  bufferBudget,
  describe,
  duration,
  listenAddress,
  nullable,
  oneOf,
  rate,
  text,
  toggle,
  workerCount,
} from './formats.ts';
import { nearest } from './nearest.ts';
import { parseOverride, replaceIn } from './override.ts';
import type { Problems } from './problems.ts';
import type { Located } from './section.ts';
import { isMapping, notMapping, readValue, unknownKey } from './section.ts';
import type { Path } from './source-file.ts';
import { parseValue } from './source-file.ts';
import { stickySecret } from '../schema/sticky.ts';

interface Setting<T> {
  readonly doc: string;
  readonly format: Format<T>;
  /** As it would stand in the file. */
  readonly default: unknown;
  /** What stands in for a bad value. */
  readonly placeholder: T;
}

const SETTINGS = {
  'workers.l7': setting('Threads for the listeners of mode l7', workerCount, 'auto'),
  'workers.l4': setting('Threads for the listeners of mode l4', workerCount, 'auto'),
  'workers.bufferBudget': setting('What may wait in all sessions together', bufferBudget, 'auto'),
  'workers.stuckAfter': setting(
    'How long a worker may be silent before it is given up and replaced',
    duration({ least: 1000, most: 600_000, zero: 'never' }),
    '10s',
  ),
  'admin.address': setting('Where metrics, health and status are served', listenAddress, '127.0.0.1:9090'),
  'admin.hosts': setting(
    'Host names that requests to the admin address may have',
    listOf('host names', 0),
    [],
  ),
  'admin.token': setting('What admits changes at the admin address', nullable(adminToken), null),
  'log.level': setting(
    'The least severe lines that are logged',
    oneOf('debug', 'info', 'warn', 'error', 'silent'),
    'info',
  ),
  'log.format': setting('json, or pretty for people', oneOf('json', 'pretty'), 'json'),
  'log.access': setting(
    'Whether sessions and tunnels log their opening and end, and requests their end',
    toggle,
    true,
  ),
  'log.file': setting('Where the log goes instead of standard output', nullable(text('a file')), null),
  'shutdown.grace': setting(
    'How long sessions and tunnels may go on after SIGTERM',
    duration({ least: 0, most: MAX_DURATION_MS }),
    '30s',
  ),
  'shutdown.readyDelay': setting(
    'How long /readyz says 503 before anything else happens',
    duration({ least: 0, most: 600_000 }),
    '0s',
  ),
  'drain.rate': setting(
    'Sessions and tunnels that a drain ends',
    rate({ least: 0.1, most: 1_000_000 }),
    '100/s',
  ),
  'drain.deadline': setting(
    'When a drain ends what is left',
    duration({ least: 1000, most: MAX_DURATION_MS }),
    '5m',
  ),
  'drain.jitter': setting(
    'Up to how long the turn of each is put off',
    duration({ least: 0, most: 600_000 }),
    '0s',
  ),
  'demo.echo': setting('The cluster whose endpoints are echo servers', nullable(text('a cluster')), null),
  'demo.chat': setting('The cluster whose endpoints are a chat room', nullable(text('a cluster')), null),
  listeners: listSetting('The addresses that clients connect to', 'listeners'),
  clusters: listSetting('The groups of endpoints that connections go to', 'clusters'),
} as const;

type SettingPath = keyof typeof SETTINGS;
type SettingValue<P extends SettingPath> = ReturnType<(typeof SETTINGS)[P]['format']>;

/** Overrides the secrets of all clusters: entries of a list have no variables of their own. */
const STICKY_SECRET = 'SLUICE_STICKY_SECRET';

const PATHS = Object.keys(SETTINGS) as SettingPath[];
const ENVIRONMENT = new Map(PATHS.map((path) => [environmentName(path), path]));

/** The keys of the root, or of one group of it. */
const GROUPS = new Map<string, readonly string[]>();
for (const path of PATHS) {
  const [group, key] = path.split('.') as [string, string | undefined];
  GROUPS.set('', [...new Set([...(GROUPS.get('') ?? []), group])]);
  if (key !== undefined) GROUPS.set(group, [...(GROUPS.get(group) ?? []), key]);
}

const SCHEMA = schema();

export class Settings {
  /** The secret of sticky cookies that the environment sets; null for none. */
  stickySecret: string | null = null;
  readonly #problems: Problems;
  readonly #store: convict.Config<Record<string, unknown>>;

  /** Reads the environment at once; it comes into force with {@link loadFile}. */
  constructor(env: Readonly<Record<string, string | undefined>>, problems: Problems) {
    this.#problems = problems;
    // Convict's own conversions take any text for true and "12abc" for 12, so that values go in as YAML has them.
    this.#store = convict(SCHEMA, { env: this.#readEnvironment(env), args: [] });
  }

  /** Takes the values of the file, over which the environment stands. */
  loadFile(root: unknown): void {
    this.#assign([], root);
    this.#store.load({});
  }

  /** Takes one `path=value`, which stands over all else. */
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
    const replaced = replaceIn(this.#store.get(leaf), override.path.slice(depth), override.value);
    if (replaced.error !== null) {
      this.#problems.errorAt(place, replaced.error);
      return;
    }
    const path = [...override.path.slice(0, depth), ...replaced.path];
    this.#problems.overridden(path, place);
    if (path.length === depth) this.#assign(path, replaced.value);
    else this.#store.set(leaf, replaced.value);
  }

  /** The value in force; where it is bad, that is noted and the default returned. */
  read<P extends SettingPath>(path: P): SettingValue<P> {
    const { format, placeholder } = SETTINGS[path] as Setting<SettingValue<P>>;
    const value: unknown = this.#store.get(path);
    return readValue(value, path.split('.'), this.#problems, format, placeholder);
  }

  /** The entries of a list; null where it is missing, none where it cannot be used. */
  elements(path: 'listeners' | 'clusters' | 'admin.hosts'): readonly Located<unknown>[] | null {
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
        this.#store.set(name, value);
      }
      return;
    }
    // A group under which everything is commented out is as good as none.
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

  #readEnvironment(env: Readonly<Record<string, string | undefined>>): NodeJS.ProcessEnv {
    const values: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(env)) {
      // A variable that is set to nothing is how many tools say that it is not set.
      if (!name.startsWith('SLUICE_') || value === undefined || value === '') continue;
      if (name === STICKY_SECRET) {
        this.#readStickySecret(value);
        continue;
      }
      const path = ENVIRONMENT.get(name);
      if (path !== undefined) {
        values[name] = parseValue(value);
        this.#problems.overridden(path.split('.'), `environment ${name}`);
        continue;
      }
      // Others may have names of that kind: Kubernetes sets SLUICE_PORT beside a service called sluice.
      const near = nearest(name, [...ENVIRONMENT.keys(), STICKY_SECRET]);
      if (near !== undefined) {
        this.#problems.warningAt(`environment ${name}`, `sets nothing: did you mean ${near}?`);
      }
    }
    return values as NodeJS.ProcessEnv;
  }

  /** Takes the text as it stands: as YAML, digits would be a number. */
  #readStickySecret(value: string): void {
    try {
      this.stickySecret = stickySecret(value);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      this.#problems.errorAt(`environment ${STICKY_SECRET}`, error.message);
    }
  }
}

function setting<T>(doc: string, format: Format<T>, fallback: unknown): Setting<T> {
  return { doc, format, default: fallback, placeholder: format(fallback) };
}

/** Null where it is missing. */
function listSetting(doc: string, what: string): Setting<readonly unknown[] | null> {
  return { doc, format: nullable(listOf(what, 1)), default: null, placeholder: [] };
}

function listOf(what: string, least: 0 | 1): Format<readonly unknown[]> {
  return (value) => {
    if (!Array.isArray(value)) {
      throw new FormatError(`${describe(value)} is not a list: write a list of ${what}`);
    }
    if (value.length < least) throw new FormatError(`the list is empty: write at least one of ${what}`);
    return value as readonly unknown[];
  };
}

function environmentName(path: string): string {
  return `SLUICE_${path.replaceAll('.', '_').toUpperCase()}`;
}

/** The setting that a path is or lies in; null for a group, and for what is no setting. */
function leafOf(path: Path): SettingPath | null {
  const name = path.join('.');
  return PATHS.find((leaf) => name === leaf || name.startsWith(`${leaf}.`)) ?? null;
}

/**
 * The tree that convict wants. Each format is registered under the path of its setting: convict converts values of
 * formats that have no name by the type of their default.
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
