/** Finds the configuration that a command reads. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigSource } from '../config/loader.ts';
import { StartError } from '../core/errors.ts';
import type { CommandOptions } from './arguments.ts';
import { readStandardInput } from './standard-input.ts';

/** Gives the defaults of all other settings. Its listener is never opened. */
const NO_CONFIG = `
listeners: [{ name: none, mode: l4, address: '127.0.0.1:0', cluster: none }]
clusters: [{ name: none, endpoints: ['127.0.0.1:1'] }]
`;
/** Searched in this order, after `--config` and `SLUICE_CONFIG`. */
const FOLDERS = ['.', '/etc/sluice'] as const;
/** YAML includes JSON. */
const NAMES = ['sluice.yaml', 'sluice.yml', 'sluice.json'] as const;

/** In place of a file: the configuration is read from standard input. */
const STANDARD_INPUT = '-';

type SourceOptions = Pick<CommandOptions, 'configFile' | 'overrides' | 'env'>;

/**
 * Returns the configuration like {@link configSource}, or from standard input. For commands that need it once.
 *
 * @throws StartError
 */
export async function sourceReadOnce(
  options: SourceOptions,
  input?: AsyncIterable<Buffer>,
): Promise<ConfigSource> {
  const { overrides, env } = options;
  if (writtenFile(options) !== STANDARD_INPUT) return configSource(options);
  // Relative paths start at the working directory.
  return { file: '<stdin>', text: await readStandardInput(input), overrides, env };
}

/**
 * Returns the configuration of `--config`, of `SLUICE_CONFIG`, or of the first place that has one.
 *
 * @throws StartError if no place has a configuration, if one has several, or for standard input
 */
export function configSource(
  options: SourceOptions,
  exists: (path: string) => boolean = existsSync,
): ConfigSource {
  const { overrides, env } = options;
  const file = fileOf(options, exists);
  if (file !== null) return { file, overrides, env };
  throw new StartError(
    'no configuration found: there is no ./sluice.yaml and no /etc/sluice/sluice.yaml. ' +
      'Name a file with -c FILE, write one with sluice init, or run without one: sluice to 3000',
  );
}

/**
 * Returns the configuration of a running sluice. Without a file, the defaults: `sluice to` runs with them.
 *
 * @throws StartError if a place has several, or for standard input
 */
export function adminSource(
  options: SourceOptions,
  exists: (path: string) => boolean = existsSync,
): ConfigSource {
  const { overrides, env } = options;
  const file = fileOf(options, exists);
  if (file !== null) return { file, overrides, env };
  return { file: 'the defaults', text: NO_CONFIG, overrides, env };
}

/** Returns the file that the user names. Null if none is named. */
function writtenFile({ configFile, env }: SourceOptions): string | null {
  return configFile ?? (env.SLUICE_CONFIG || null);
}

function fileOf(options: SourceOptions, exists: (path: string) => boolean): string | null {
  const file = writtenFile(options);
  if (file !== STANDARD_INPUT) return file ?? findFile(exists);
  throw new StartError(
    'only check and print-config read standard input: a reload and other commands need the configuration again. ' +
      'Write it to a file, and name that with -c FILE',
  );
}

function findFile(exists: (path: string) => boolean): string | null {
  for (const folder of FOLDERS) {
    const [file, other] = NAMES.map((name) => join(folder, name)).filter(exists);
    if (other !== undefined) {
      throw new StartError(`both ${file!} and ${other} exist: remove one, or name one with -c ${file!}`);
    }
    if (file !== undefined) return file;
  }
  return null;
}
