/** `sluice print-config`: prints the effective configuration. */
import { loadConfig } from '../../config/loader.ts';
import { renderConfig } from '../../config/render.ts';
import type { CommandOptions } from '../arguments.ts';
import { configSource } from '../config-file.ts';
import { warningLines } from '../diagnostics.ts';

/**
 * Prints the configuration as YAML. Warnings go to stderr.
 *
 * @returns 0
 * @throws ConfigError if the configuration is not valid, StartError if there is none
 */
export function run(options: CommandOptions): number {
  const loaded = loadConfig(configSource(options));
  process.stderr.write(warningLines(loaded.warnings));
  process.stdout.write(renderConfig(loaded));
  return 0;
}
