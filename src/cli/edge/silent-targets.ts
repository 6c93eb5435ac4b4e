/** Finds servers that do not run yet. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { formatAddress } from '../../core/address.ts';
import type { Target } from './target.ts';

const TIMEOUT_MS = 1000;

/** Connects to each target once. Returns those that do not accept a connection. */
export async function silentTargets(targets: readonly Target[]): Promise<readonly Target[]> {
  const answers = await Promise.all(targets.map(accepts));
  return targets.filter((_, index) => answers[index] === false);
}

/** Returns the warning about silent targets. Empty if there are none. */
export function silenceText(silent: readonly Target[]): string {
  if (silent.length === 0) return '';
  const names = silent.map(({ address }) => formatAddress(address)).join(', ');
  const it = silent.length === 1 ? 'the server runs' : 'they run';
  return `  Nothing listens at ${names} yet. Requests get 502 until ${it}.\n\n`;
}

async function accepts({ address }: Target): Promise<boolean> {
  const socket = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  } finally {
    // Without a listener, a late error would end the process.
    socket.on('error', () => undefined);
    socket.destroy();
  }
}
