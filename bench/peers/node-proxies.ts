import { join } from 'node:path';
import { packageVersion } from './installed.ts';
import type { Peer } from './peer.ts';

/** The proxies for Node that descend from http-proxy, and share its interface. */
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
