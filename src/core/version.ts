import { createRequire } from 'node:module';

/** The version of sluice, as its package.json has it. */
export function version(): string {
  return (createRequire(import.meta.url)('#package.json') as { version: string }).version;
}
