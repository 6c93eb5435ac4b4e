/** Finds the servers that run already, and the address at which they answer. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { formatAddress, type Address } from '../../core/address.ts';
import { LOCAL_HOST, type Target } from './target.ts';

const TIMEOUT_MS = 1000;
const IPV6_LOOPBACK = '::1';

/** A target after one attempt to connect. */
export interface ProbedTarget {
  readonly target: Target;
  /** The IP address that accepted the connection, or the path of the socket. Null if none did. */
  readonly answeredAt: string | null;
}

/**
 * Connects to an address once.
 *
 * @returns the IP address or path that accepted the connection, or null
 */
type Probe = (address: Address) => Promise<string | null>;

/**
 * Connects to each target once. Some machines do not give `localhost` the address `::1`, and a server may
 * listen only there: its target is then `::1`.
 */
export function probeTargets(
  targets: readonly Target[],
  probe: Probe = connectOnce,
): Promise<readonly ProbedTarget[]> {
  return Promise.all(
    targets.map(async (target) => {
      const { address } = target;
      const answeredAt = await probe(address);
      if (answeredAt !== null || address.kind === 'unix' || address.host !== LOCAL_HOST) {
        return { target, answeredAt };
      }
      const second = { ...address, host: IPV6_LOOPBACK };
      const found = await probe(second);
      return found === null
        ? { target, answeredAt }
        : { target: { ...target, address: second }, answeredAt: found };
    }),
  );
}

/** Returns the warning about targets that do not answer. Empty if all do. */
export function silenceText(probed: readonly ProbedTarget[]): string {
  const silent = probed.filter(({ answeredAt }) => answeredAt === null);
  if (silent.length === 0) return '';
  const names = silent.map(({ target }) => formatAddress(target.address)).join(', ');
  const it = silent.length === 1 ? 'the server runs' : 'they run';
  return `  Nothing listens at ${names} yet. Requests get 502 until ${it}.\n\n`;
}

async function connectOnce(address: Address): Promise<string | null> {
  const socket = address.kind === 'unix' ? connect(address.path) : connect(address.port, address.host);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return address.kind === 'unix' ? address.path : (socket.remoteAddress ?? null);
  } catch {
    return null;
  } finally {
    // Without a listener, a late error would end the process.
    socket.on('error', () => undefined);
    socket.destroy();
  }
}
