import { join } from 'node:path';
import { nginx as compared } from '../peers/nginx.ts';
import { programOf } from '../peers/programs.ts';
import type { ReloadablePeer } from './reloadable-peer.ts';

export const nginx: ReloadablePeer = {
  name: 'nginx',
  version: () => compared.version(),
  file: 'nginx.conf',
  configuration: ({ directory, ports, endpoints, certificate, graceSeconds, extraRoute }) => {
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    const ping = extraRoute ? 'location = /ping { return 200 pong; }' : '';
    return `worker_processes 1;
daemon off;
pid ${directory}/nginx.pid;
error_log ${directory}/nginx.err;
worker_rlimit_nofile 20000;
${graceSeconds === null ? '' : `worker_shutdown_timeout ${graceSeconds}s;`}
events { worker_connections 18000; multi_accept on; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${directory}/${name};`).join(' ')}
  tcp_nodelay on;
  proxy_http_version 1.1;
  proxy_set_header Host $http_host;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection upgrade;
  proxy_read_timeout 1h;
  proxy_send_timeout 1h;
  upstream app {
    least_conn;
    ${endpoints.map((port) => `server 127.0.0.1:${port};`).join(' ')}
  }
  server {
    listen 127.0.0.1:${ports.ws} backlog=4096;
    ${ping}
    location / { proxy_pass http://app; }
  }
  server {
    listen 127.0.0.1:${ports.wss} ssl backlog=4096;
    ssl_certificate ${certificate.cert};
    ssl_certificate_key ${certificate.key};
    ${ping}
    location / { proxy_pass http://app; }
  }
}
`;
  },
  command: ({ directory }) => ({
    program: programOf('nginx'),
    args: ['-e', join(directory, 'nginx.err'), '-c', join(directory, 'nginx.conf')],
  }),
  reloadSignal: 'SIGHUP',
  drainSignal: 'SIGQUIT',
  rebalance: null,
};
