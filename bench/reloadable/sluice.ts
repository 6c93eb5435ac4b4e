import { join } from 'node:path';
import { sluice as compared } from '../peers/sluice.ts';
import type { ReloadablePeer, ReloadableSetup } from './reloadable-peer.ts';

const ROOT = join(import.meta.dirname, '../..');
const TOKEN = 'only-for-the-bench-of-faults';

/** sluice with the default engines. */
export const sluice = peerWith('sluice', 'auto');
/** sluice with uWebSockets.js. */
export const sluiceUws = peerWith('sluice-uws', 'uws');

function peerWith(name: string, engine: 'auto' | 'uws'): ReloadablePeer {
  return {
    name,
    version: () => compared.version(),
    file: 'sluice.yaml',
    configuration: ({ ports, endpoints, certificate, graceSeconds, extraRoute, idleTimeoutSeconds }) => {
      const websocket = { idleTimeout: `${idleTimeoutSeconds}s` };
      // JSON is YAML.
      return JSON.stringify(
        {
          workers: { l7: 1, l4: 1 },
          admin: { address: `127.0.0.1:${ports.admin}`, token: TOKEN },
          log: { level: 'warn', access: false },
          shutdown: { grace: `${graceSeconds ?? 1}s` },
          listeners: [
            {
              name: 'ws',
              mode: 'l7',
              engine,
              address: `127.0.0.1:${ports.ws}`,
              routes: routes(extraRoute),
              websocket,
            },
            {
              name: 'wss',
              mode: 'l7',
              engine,
              address: `127.0.0.1:${ports.wss}`,
              tls: { certificates: [{ cert: certificate.cert, key: certificate.key }] },
              routes: routes(extraRoute),
              websocket,
            },
          ],
          clusters: [
            {
              name: 'app',
              balancer: 'least_connections',
              endpoints: endpoints.map((port) => ({ address: `127.0.0.1:${port}` })),
            },
          ],
        },
        null,
        2,
      );
    },
    command: ({ directory }: ReloadableSetup) => ({
      program: process.execPath,
      args: [join(ROOT, 'src/main.ts'), 'run', '--config', join(directory, 'sluice.yaml')],
    }),
    reloadSignal: 'SIGHUP',
    drainSignal: 'SIGTERM',
    rebalance: async ({ ports }, perSecond) => {
      const url = `http://127.0.0.1:${ports.admin}/clusters/app/rebalance?rate=${perSecond}`;
      const response = await fetch(url, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } });
      if (!response.ok) throw new Error(`rebalance: ${response.status} ${await response.text()}`);
    },
  };
}

function routes(extra: boolean): object[] {
  const all = { match: {}, cluster: 'app' };
  return extra ? [{ match: { path: '/ping' }, respond: { status: 200, body: 'pong' } }, all] : [all];
}
