import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Peer } from './peer.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Proxies for Node that descend from http-proxy and share its interface. */
export const nodeProxies: readonly Peer[] = ['http-proxy-3', 'httpxy'].map((name) => ({
  name,
  modes: ['ws', 'wss'],
  config: 'node-proxy.ts',
  version: () => packageVersion(name),
  command: ({ ports, endpoint, certificate }) => ({
    program: process.execPath,
    args: [
      join(import.meta.dirname, 'node-proxy.ts'),
      ...[name, ports.ws, ports.wss, endpoint, certificate.cert, certificate.key].map(String),
    ],
  }),
}));

/** Returns the version of an npm package; null if it is not installed. */
function packageVersion(name: string): string | null {
  try {
    const text = readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8');
    return String((JSON.parse(text) as { version: unknown }).version);
  } catch {
    return null;
  }
}
