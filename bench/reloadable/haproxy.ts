import { join } from 'node:path';
import { haproxy as compared } from '../peers/haproxy.ts';
import { programOf } from '../peers/programs.ts';
import type { ReloadablePeer } from './reloadable-peer.ts';

/** HAProxy with its master process, which handles reloads. */
export const haproxy: ReloadablePeer = {
  name: 'HAProxy',
  version: () => compared.version(),
  file: 'haproxy.cfg',
  configuration: ({ ports, endpoints, certificate, graceSeconds, extraRoute }) => {
    const ping = extraRoute
      ? '  http-request return status 200 content-type text/plain string pong if { path /ping }\n'
      : '';
    return `global
  nbthread 1
  maxconn 9000
  ${graceSeconds === null ? '' : `hard-stop-after ${graceSeconds}s`}
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout tunnel 1h
  option redispatch
  backlog 4096
frontend ws
  bind 127.0.0.1:${ports.ws}
${ping}  default_backend app
frontend wss
  bind 127.0.0.1:${ports.wss} ssl crt ${certificate.both}
${ping}  default_backend app
backend app
  balance leastconn
${endpoints.map((port, index) => `  server app${index} 127.0.0.1:${port} check inter 1s fall 2\n`).join('')}`;
  },
  command: ({ directory }) => ({
    program: programOf('haproxy'),
    args: ['-W', '-db', '-q', '-f', join(directory, 'haproxy.cfg')],
  }),
  reloadSignal: 'SIGUSR2',
  drainSignal: 'SIGUSR1',
  rebalance: null,
};
