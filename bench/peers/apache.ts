import { versionOf } from './installed.ts';
import type { Peer } from './peer.ts';
import { writeConfig } from './template.ts';

/** Layer 4 is not among its modules. */
export const apache: Peer = {
  name: 'Apache httpd',
  modes: ['ws', 'wss'],
  config: 'apache.conf',
  version: () => versionOf('apache2', ['-v'], /Apache\/(\S+)/),
  command: (setup) => ({
    program: 'apache2',
    args: ['-D', 'FOREGROUND', '-f', writeConfig('apache.conf', setup)],
  }),
};
