import { haproxy as compared } from '../../peers/haproxy.ts';
import { programOf } from '../../peers/programs.ts';
import type { LargePeer } from './large-peer.ts';
import { changedBody, changedHost, endpointAddress, routesOf, type LargeSetup } from './sizes.ts';

/** HAProxy with a master process, which handles reloads, and with one rule per route. */
export const largeHaproxy: LargePeer = {
  name: 'HAProxy',
  version: () => compared.version(),
  file: 'haproxy.cfg',
  configuration: textOf,
  command: (path) => ({ program: programOf('haproxy'), args: ['-W', '-db', '-q', '-f', path] }),
  readyPath: '/livez',
  livePath: '/livez',
  reloadSignal: 'SIGUSR2',
};

function textOf({ sizes, ports, version }: LargeSetup): string {
  const rules = routesOf(sizes).map(
    ({ host, pathPrefix, cluster }) =>
      `  use_backend c${cluster} if { hdr(host) -i ${host} } { path_beg ${pathPrefix} }`,
  );
  const backends = Array.from({ length: sizes.clusters }, (_, cluster) => [
    `backend c${cluster}`,
    ...Array.from({ length: sizes.endpoints }, (_, index) => {
      const address = endpointAddress(cluster * sizes.endpoints + index);
      return `  server s${index} ${address}`;
    }),
  ]);
  const changed = `string "${changedBody(version)}" if { hdr(host) -i ${changedHost(version)} }`;
  return [
    'global',
    `  nbthread ${sizes.workers}`,
    '  hard-stop-after 1s',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 1h',
    '  timeout server 1h',
    'frontend admin',
    `  bind 127.0.0.1:${ports.admin}`,
    '  http-request use-service prometheus-exporter if { path /metrics }',
    '  http-request return status 200 if { path /livez }',
    'frontend web',
    `  bind 127.0.0.1:${ports.web}`,
    `  http-request return status 200 content-type text/plain ${changed}`,
    ...rules,
    ...backends.flat(),
    '',
  ].join('\n');
}
