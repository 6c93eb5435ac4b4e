import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Mode, Peer } from './peer.ts';
import { writeConfig } from './template.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** Uses the default engines of listeners. */
export const sluice = peerWith('sluice', 'auto', ['ws', 'wss', 'tcp']);
/** Uses uWebSockets.js, a layer 7 engine. */
export const sluiceUws = peerWith('sluice-uws', 'uws', ['ws', 'wss']);

/** Runs the sources of this repository, with one worker thread per layer. */
function peerWith(name: string, engine: 'auto' | 'uws', modes: readonly Mode[]): Peer {
  const values = { engine };
  return {
    name,
    modes,
    config: 'sluice.yaml',
    values,
    version: () => {
      const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
      return version;
    },
    command: (setup) => ({
      program: process.execPath,
      args: [join(ROOT, 'src/main.ts'), 'run', '--config', writeConfig('sluice.yaml', setup, values)],
    }),
  };
}
