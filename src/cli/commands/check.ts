/** `sluice check`: validates a configuration. */
import { loadConfig } from '../../config/loader.ts';
import { readDescriptorLimit } from '../../core/descriptor-limit.ts';
import type { CommandOptions } from '../arguments.ts';
import { sourceReadOnce } from '../config-file.ts';
import { warningLines } from '../diagnostics.ts';
import { warnOfEngines } from '../engine-warnings.ts';
import { warnOfSeries } from '../series-warning.ts';

/**
 * Prints the number of listeners and clusters. Warnings go to stderr.
 *
 * @returns 0
 * @throws ConfigError if the configuration is not valid, StartError if there is none
 */
export async function run(options: CommandOptions): Promise<number> {
  const source = await sourceReadOnce(options);
  const { config, warnings } = loadConfig({ ...source, descriptorLimit: readDescriptorLimit() });
  const more = [...warnOfSeries(config), ...(await warnOfEngines(config))];
  process.stderr.write(warningLines([...warnings, ...more]));
  const listeners = count(config.listeners.length, 'listener');
  process.stdout.write(
    `${source.file}: valid, with ${listeners} and ${count(config.clusters.length, 'cluster')}\n`,
  );
  return 0;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
