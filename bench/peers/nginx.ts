import { existsSync } from 'node:fs';
import type { Peer } from './peer.ts';
import { fileOf, programOf, versionOf } from './programs.ts';
import { writeConfig } from './template.ts';

/** Debian packages the stream module separately (libnginx-mod-stream). */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

export const nginx: Peer = {
  name: 'nginx',
  modes: ['ws', 'wss', 'tcp'],
  config: 'nginx.conf',
  version: () => versionOf('nginx'),
  command: (setup) => {
    const stream = fileOf('nginx', STREAM_MODULE);
    const load = existsSync(stream) ? `load_module ${stream};` : '';
    const config = writeConfig('nginx.conf', setup, { load });
    return { program: programOf('nginx'), args: ['-e', `${setup.directory}/nginx.err`, '-c', config] };
  },
};
