/** `sluice print-config`: prints the effective configuration. */
import { loadConfig } from '../../config/loader.ts';
import { renderConfig } from '../../config/render.ts';
import type { CommandOptions } from '../arguments.ts';
import { sourceReadOnce } from '../config-file.ts';
import { warningLines } from '../diagnostics.ts';

/**
 * Prints the configuration as YAML. Warnings go to stderr.
 *
 * @returns 0
 * @throws ConfigError if the configuration is not valid, StartError if there is none
 */
export async function run(options: CommandOptions): Promise<number> {
  const loaded = loadConfig(await sourceReadOnce(options));
  process.stderr.write(warningLines(loaded.warnings));
  process.stdout.write(renderConfig(loaded));
  return 0;
}
