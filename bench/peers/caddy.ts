import type { Peer } from './peer.ts';
import { programOf, versionOf } from './programs.ts';
import { writeConfig } from './template.ts';

/** Layer 4 needs a plugin, which Caddy's packages lack. */
export const caddy: Peer = {
  name: 'Caddy',
  modes: ['ws', 'wss'],
  config: 'Caddyfile',
  version: () => versionOf('caddy'),
  command: (setup) => ({
    program: programOf('caddy'),
    args: ['run', '--adapter', 'caddyfile', '--config', writeConfig('Caddyfile', setup)],
    env: { GOMAXPROCS: '1', XDG_DATA_HOME: setup.directory, XDG_CONFIG_HOME: setup.directory },
  }),
};
