import { readFileSync } from 'node:fs';
import { findPackageJSON } from 'node:module';
import { version } from '../../core/version.ts';

export interface Versions {
  readonly sluice: string;
  readonly node: string;
  readonly uws: string;
}

/** Returns the versions of this program, Node and uWebSockets.js; `unknown` if a package has no version. */
export function readVersions(): Versions {
  return {
    sluice: version(),
    node: process.versions.node,
    uws: versionOf('uWebSockets.js'),
  };
}

function versionOf(specifier: string): string {
  try {
    const file = findPackageJSON(specifier, import.meta.url);
    if (file === undefined) return 'unknown';
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as { version?: unknown };
    return typeof manifest.version === 'string' ? manifest.version : 'unknown';
  } catch {
    return 'unknown';
  }
}
