import type { Peer } from './peer.ts';
import { programOf, versionOf } from './programs.ts';
import { writeConfig } from './template.ts';

export const haproxy: Peer = {
  name: 'HAProxy',
  modes: ['ws', 'wss', 'tcp'],
  config: 'haproxy.cfg',
  version: () => versionOf('haproxy'),
  command: (setup) => ({
    program: programOf('haproxy'),
    args: ['-db', '-q', '-f', writeConfig('haproxy.cfg', setup)],
  }),
};
