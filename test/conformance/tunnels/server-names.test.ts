/** Tunnels by server name, on the engines of both layers. */
import { unsupportedReason } from '../../../src/sys/support.ts';
import type { TunnelDoor } from './server-names-rig.ts';
import { describeServerNames } from './server-names.ts';

const DOORS: readonly TunnelDoor[] = [
  { layer: 'l4', engine: 'net' },
  { layer: 'l4', engine: 'raw' },
  { layer: 'l7', engine: 'net' },
  { layer: 'l7', engine: 'raw' },
];
const unsupported = unsupportedReason();

for (const door of DOORS) {
  if (door.engine === 'net' || unsupported === null) describeServerNames(door);
}
