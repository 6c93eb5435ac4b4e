import { versionOf } from './installed.ts';
import type { Peer } from './peer.ts';
import { writeConfig } from './template.ts';

export const haproxy: Peer = {
  name: 'HAProxy',
  modes: ['ws', 'wss', 'tcp'],
  config: 'haproxy.cfg',
  version: () => versionOf('haproxy', ['-v'], /version (\d[\w.]*)/),
  command: (setup) => ({ program: 'haproxy', args: ['-db', '-q', '-f', writeConfig('haproxy.cfg', setup)] }),
};
