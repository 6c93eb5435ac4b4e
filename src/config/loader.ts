/** Reads, validates and completes a configuration. */
import { dirname, resolve } from 'node:path';
import type { ConfigProblem } from '../core/errors.ts';
import { ConfigError } from '../core/errors.ts';
import type { Slices } from '../core/timing/slices.ts';
import { doSteps, doStepsInSlices, type Steps } from '../core/timing/steps.ts';
import { readAdmin } from './schema/admin.ts';
import { readRoot } from './schema/root.ts';
import { Settings } from './schema/settings.ts';
import { composeFiles } from './sources/compose.ts';
import type { BlockSource } from './syntax/context.ts';
import { BaseDirectory } from './syntax/files.ts';
import { ItemMemory } from './syntax/item-memory.ts';
import { OutsideValues, type GivenValue } from './syntax/outside/outside-values.ts';
import { Problems } from './syntax/problems.ts';
import { isMapping } from './syntax/section.ts';
import type { ClusterFiles } from './types/cluster.ts';
import type { Config } from './types/config.ts';

export interface ConfigSource {
  /** Path of a file in YAML or JSON. */
  readonly file: string;
  /**
   * The configuration itself. Nothing is read from `file` then: it names the place of errors, and relative
   * paths start at its directory.
   */
  readonly text?: string;
  /** Each is `path=value`. Later ones take precedence over earlier ones, and all over the environment. */
  readonly overrides: readonly string[];
  /**
   * The environment. Variables named `SLUICE_` and the path of a setting in capitals take precedence over the file. The
   * file may refer to all variables.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Max open descriptors of the process, for warnings. Null or missing for no limit. */
  readonly descriptorLimit?: number | null;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Settings that are valid but probably not intended. */
  readonly warnings: readonly ConfigProblem[];
  /** Paths of the files whose contents are in the configuration, keyed by cluster name. */
  readonly clusterFiles: ReadonlyMap<string, ClusterFiles>;
  /** Sources of each list of CIDR blocks, as the file has them. */
  readonly blockLists: ReadonlyMap<readonly string[], readonly BlockSource[]>;
  /** Values from the environment and from files, which are printed as they were given. Their paths are of the long form. */
  readonly givenValues: readonly GivenValue[];
  /**
   * Absolute paths of the configuration and of every included file, certificate, key, authority and secret that it
   * names. Also patterns of included files.
   */
  readonly files: readonly string[];
}

/**
 * Loads a configuration and every file that it names.
 *
 * @param memory keeps items that the next load of the same source can reuse; null for a single load
 * @throws ConfigError with every problem found
 */
export function loadConfig(source: ConfigSource, memory: ItemMemory | null = null): LoadedConfig {
  return doSteps(loadingSteps(source, memory));
}

/** Loads a configuration like {@link loadConfig}, but in slices, so that a running process keeps serving. */
export function loadConfigInSlices(
  source: ConfigSource,
  slices: Slices,
  memory: ItemMemory,
): Promise<LoadedConfig> {
  return doStepsInSlices(loadingSteps(source, memory), slices);
}

/**
 * Loads only the key `admin` of a configuration: errors in all other keys are ignored.
 *
 * @throws ConfigError if a file that may have the key cannot be read, or for errors in `admin`
 */
export function loadAdmin(source: ConfigSource): Config['admin'] {
  const outside = new OutsideValues(source.env, new BaseDirectory(dirname(resolve(source.file))));
  const { composition, files } = doSteps(composeFiles(source, outside, null));
  const { root, isBroken } = composition;
  const problems = new Problems(composition, outside);
  // A file that cannot be read may be the one with the key.
  if (isBroken && !(isMapping(root) && root.has('admin'))) throw new ConfigError(problems.errors, files);
  const errorsElsewhere = problems.errorCount;
  const part = isMapping(root) ? new Map([...root].filter(([key]) => key === 'admin')) : root;
  doSteps(outside.replaceIn(part, [], problems));
  const env = Object.entries(source.env).filter(([name]) => name.startsWith('SLUICE_ADMIN_'));
  const settings = new Settings(Object.fromEntries(env), problems);
  settings.loadFile(part);
  for (const override of source.overrides) if (/^admin\b/.test(override)) settings.override(override);
  const admin = readAdmin(settings, problems);
  if (problems.errorCount > errorsElsewhere) throw new ConfigError(problems.errors, files);
  return admin;
}

function* loadingSteps(source: ConfigSource, memory: ItemMemory | null): Steps<LoadedConfig> {
  const items = (memory ?? new ItemMemory()).begin();
  const isRemembered = memory !== null && !source.overrides.some(changesList);
  const base = new BaseDirectory(dirname(resolve(source.file)));
  const outside = new OutsideValues(source.env, base);
  const composed = yield* composeFiles(source, outside, isRemembered ? items : null);
  const { root, isBroken, hasReferences } = composed.composition;
  const problems = new Problems(composed.composition, outside);
  if (isBroken) throw new ConfigError(problems.errors, composed.files, problems.warnings);
  yield;
  if (hasReferences) yield* outside.replaceIn(root, [], problems);
  // Without the values, further errors would only follow from the first.
  if (outside.hasFaults) throw new ConfigError(problems.errors, composed.files, problems.warnings);
  const settings = new Settings(source.env, problems);
  yield;
  settings.loadFile(root);
  for (const override of source.overrides) settings.override(override);
  yield;
  const { config, longPaths, ...sources } = yield* readRoot(
    settings,
    base,
    problems,
    items,
    source.descriptorLimit ?? null,
  );
  const files = [...composed.files, ...base.files];
  if (problems.errors.length > 0) throw new ConfigError(problems.errors, files, problems.warnings);
  yield;
  memory?.keep(items);
  const givenValues = outside.printedAsGiven.map((value) => ({ ...value, path: longPaths.of(value.path) }));
  return { config, warnings: problems.warnings, ...sources, givenValues, files };
}

/** Whether an override may replace a part of an item. */
function changesList(override: string): boolean {
  return /^(?:clusters|listeners)\b/.test(override);
}
