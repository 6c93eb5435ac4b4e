import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UsageError } from '../../../src/core/errors.ts';
import { sluice as compared } from '../../peers/sluice.ts';
import type { LargePeer } from './large-peer.ts';
import { changedBody, changedHost, endpointAddress, routesOf, type LargeSetup } from './sizes.ts';

const MAIN = join(import.meta.dirname, '../../../dist/main.js');

/** sluice compiled, as published: Node takes a second longer to load the sources. */
export const largeSluice: LargePeer = {
  name: 'sluice',
  version: () => compared.version(),
  file: 'sluice.yaml',
  configuration: textOf,
  command: (path) => {
    if (!existsSync(MAIN)) throw new UsageError('dist/main.js is missing: run "npm run build" first');
    return { program: process.execPath, args: [MAIN, 'run', '--config', path] };
  },
  readyPath: '/readyz',
  livePath: '/livez',
  reloadSignal: 'SIGHUP',
};

const ECHO_ROUTES = ['/echo', '/sessions'].map(
  (path) => `      - { name: ${path.slice(1)}, match: { path: ${path} }, cluster: echo }`,
);

function textOf({ sizes, ports, version, echo }: LargeSetup): string {
  const routes = routesOf(sizes).map(
    ({ host, pathPrefix, cluster }, index) =>
      `      - { name: r${index}, match: { host: ${host}, pathPrefix: ${pathPrefix} }, cluster: c${cluster} }`,
  );
  const clusters = Array.from({ length: sizes.clusters }, (_, cluster) => [
    `  - name: c${cluster}`,
    '    endpoints:',
    ...Array.from(
      { length: sizes.endpoints },
      (_, index) => `      - { address: '${endpointAddress(cluster * sizes.endpoints + index)}' }`,
    ),
  ]);
  return [
    `workers: { l7: ${sizes.workers}, l4: 1 }`,
    `admin: { address: '127.0.0.1:${ports.admin}' }`,
    'log: { level: warn, access: false }',
    'shutdown: { grace: 1s }',
    'listeners:',
    '  - name: web',
    '    mode: l7',
    `    address: '127.0.0.1:${ports.web}'`,
    '    routes:',
    ...(echo === undefined ? [] : ECHO_ROUTES),
    ...routes,
    '      - name: changed',
    `        match: { host: ${changedHost(version)} }`,
    `        respond: { status: 200, body: '${changedBody(version)}' }`,
    'clusters:',
    ...(echo === undefined ? [] : [`  - { name: echo, endpoints: [{ address: '${echo}' }] }`]),
    ...clusters.flat(),
    '',
  ].join('\n');
}
