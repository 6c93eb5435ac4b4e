import { createRequire } from 'node:module';

/** Returns the version of sluice from its package.json. */
export function version(): string {
  return (createRequire(import.meta.url)('#package.json') as { version: string }).version;
}
