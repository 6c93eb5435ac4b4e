import type { Peer } from './peer.ts';
import { programOf, versionOf } from './programs.ts';
import { writeConfig } from './template.ts';

/** Apache has no module for layer 4. */
export const apache: Peer = {
  name: 'Apache httpd',
  modes: ['ws', 'wss'],
  config: 'apache.conf',
  version: () => versionOf('apache2'),
  command: (setup) => ({
    program: programOf('apache2'),
    args: ['-D', 'FOREGROUND', '-f', writeConfig('apache.conf', setup)],
  }),
};
