import { apache } from './apache.ts';
import { caddy } from './caddy.ts';
import { haproxy } from './haproxy.ts';
import { nginx } from './nginx.ts';
import { nodeProxies } from './node-proxies.ts';
import type { Peer } from './peer.ts';
import { sluice, sluiceUws } from './sluice.ts';

/** The compared proxies, in the order of the tables. */
export const PEERS: readonly Peer[] = [sluice, sluiceUws, nginx, haproxy, caddy, apache, ...nodeProxies];
