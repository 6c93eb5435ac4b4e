/** `sluice check`: validates a configuration. */
import { loadConfig } from '../../config/loader.ts';
import { readDescriptorLimit } from '../../core/descriptor-limit.ts';
import type { CommandOptions } from '../arguments.ts';
import { warningLines } from '../diagnostics.ts';
import { warnOfSeries } from '../series-warning.ts';

/**
 * Prints the number of listeners and clusters. Warnings go to stderr.
 *
 * @returns 0
 * @throws ConfigError if the configuration is not valid
 */
export function run(options: CommandOptions): number {
  const { configFile: file, overrides, env } = options;
  const { config, warnings } = loadConfig({ file, overrides, env, descriptorLimit: readDescriptorLimit() });
  process.stderr.write(warningLines([...warnings, ...warnOfSeries(config)]));
  const listeners = count(config.listeners.length, 'listener');
  process.stdout.write(`${file}: valid, with ${listeners} and ${count(config.clusters.length, 'cluster')}\n`);
  return 0;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}
