import { readFileSync } from 'node:fs';

/** The version of sluice, as package.json has it; it stands two levels above both src/core and dist/core. */
export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
