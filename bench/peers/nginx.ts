import { existsSync } from 'node:fs';
import { versionOf } from './installed.ts';
import type { Peer } from './peer.ts';
import { writeConfig } from './template.ts';

/** Debian keeps the stream module apart (libnginx-mod-stream). */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const nginx: Peer = {
  name: 'nginx',
  modes: ['ws', 'wss', 'tcp'],
  config: 'nginx.conf',
  version: () => versionOf('nginx', ['-v'], /nginx\/(\S+)/),
  command: (setup) => {
    const load = existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};` : '';
    const config = writeConfig('nginx.conf', setup, { load });
    return { program: 'nginx', args: ['-e', `${setup.directory}/nginx.err`, '-c', config] };
  },
};
