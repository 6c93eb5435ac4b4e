/** `sluice print-config`: prints the configuration in force. */
import { loadConfig } from '../../config/loader.ts';
import { renderConfig } from '../../config/render.ts';
import type { CommandOptions } from '../arguments.ts';
import { warningLines } from '../diagnostics.ts';

/**
 * Prints the configuration as YAML, and its warnings on stderr.
 *
 * @returns 0
 * @throws ConfigError for a configuration that cannot be used
 */
export function run({ configFile: file, overrides, env }: CommandOptions): number {
  const loaded = loadConfig({ file, overrides, env });
  process.stderr.write(warningLines(loaded.warnings));
  // A pager or `head` may close the pipe before the end.
  process.stdout.on('error', () => undefined);
  process.stdout.write(renderConfig(loaded));
  return 0;
}
