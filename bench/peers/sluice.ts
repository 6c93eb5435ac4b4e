import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Mode, Peer } from './peer.ts';
import { writeConfig } from './template.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/** sluice with the default engines. */
export const sluice = peerWith('sluice', 'auto', ['ws', 'wss', 'tcp']);
/** sluice with uWebSockets.js, an engine of layer 7. */
export const sluiceUws = peerWith('sluice-uws', 'uws', ['ws', 'wss']);

/** Returns a peer that runs the sources of this repository, with one worker thread per layer. */
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
