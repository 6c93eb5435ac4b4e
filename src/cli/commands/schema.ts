/** `sluice schema`: prints the JSON Schema of the configuration. */
import { readFileSync } from 'node:fs';
import { schemaPath } from '../explain/known-keys.ts';

/**
 * Prints the schema, byte by byte as the package has it.
 *
 * @returns 0
 */
export function run(): number {
  const schema = readFileSync(schemaPath());
  // A pager or `head` may close the pipe early.
  process.stdout.on('error', () => undefined);
  process.stdout.write(schema);
  return 0;
}
