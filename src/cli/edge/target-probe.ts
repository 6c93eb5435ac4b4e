/** Finds the servers that run already, and the address at which they answer. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { formatAddress, type Address } from '../../core/address.ts';
import { codeOf } from '../../core/errors.ts';
import { LOCAL_HOST, type Target } from './target.ts';

const TIMEOUT_MS = 1000;
/** The addresses of localhost. Most servers listen on the first, and some only on the second. */
const LOOPBACKS = ['127.0.0.1', '::1'] as const;

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
 * Connects to each target once. The IP address that answers replaces `localhost`: another program may listen on
 * the other address of this name. With TLS, the name stays if it answers: certificates name localhost. Removes
 * targets that are the same afterwards.
 */
export async function probeTargets(
  targets: readonly Target[],
  probe: Probe = connectOnce,
): Promise<readonly ProbedTarget[]> {
  const found = await Promise.all(targets.map((target) => probeTarget(target, probe)));
  return [...new Map(found.map((probed) => [keyOf(probed.target), probed])).values()];
}

async function probeTarget(target: Target, probe: Probe): Promise<ProbedTarget> {
  const { address, tls } = target;
  const isLocal = address.kind === 'tcp' && address.host === LOCAL_HOST;
  const loopbacks = isLocal ? LOOPBACKS.map((host) => ({ ...address, host })) : [];
  for (const place of tls ? [address, ...loopbacks] : [...loopbacks, address]) {
    const answeredAt = await probe(place);
    if (answeredAt !== null) return { target: { ...target, address: place }, answeredAt };
  }
  return { target, answeredAt: null };
}

function keyOf({ address, tls }: Target): string {
  return `${formatAddress(address)} ${tls}`;
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
  // After a reset, the socket has no remote address.
  let dialled: string | null = null;
  socket.on('connectionAttempt', (ip: string) => (dialled = ip));
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch (error) {
    // A server that accepts and resets at once listens.
    if (codeOf(error) !== 'ECONNRESET') return null;
  } finally {
    // Without a listener, a late error would end the process.
    socket.on('error', () => undefined);
    socket.destroy();
  }
  return address.kind === 'unix' ? address.path : dialled;
}
