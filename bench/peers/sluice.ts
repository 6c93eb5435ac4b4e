import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Peer } from './peer.ts';
import { writeConfig } from './template.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** The sources of this directory, with one worker thread at each layer. */
export const sluice: Peer = {
  name: 'sluice',
  modes: ['ws', 'wss', 'tcp'],
  config: 'sluice.yaml',
  version: () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    return version;
  },
  command: (setup) => ({
    program: process.execPath,
    args: [join(ROOT, 'src/main.ts'), 'run', '--config', writeConfig('sluice.yaml', setup)],
  }),
};
