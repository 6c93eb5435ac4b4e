/** `sluice schema`: prints the JSON Schema of the configuration. */
import { readFileSync } from 'node:fs';
import { schemaPath } from '../explain/known-keys.ts';

/**
 * Prints the schema, byte by byte as the package has it.
 *
 * @returns 0
 * @throws Error if the package has no schema
 */
export function run(): number {
  const schema = readFileSync(schemaPath());
  process.stdout.write(schema);
  return 0;
}
