import { codeOf } from './errors.ts';

/**
 * A shortage of the proxy. `own_shortage`: descriptors or memory of the process or the machine, so every other try fails
 * too. `own_ports`: local ports towards one address, while other addresses have their own.
 */
type OwnShortage = 'own_shortage' | 'own_ports';

/**
 * Tells a shortage of the proxy from a failure of the peer. connect(2) fails with EADDRNOTAVAIL if all local ports towards
 * an address are in use, or no local address can reach it. epoll_ctl(2) fails with ENOSPC at
 * /proc/sys/fs/epoll/max_user_watches.
 *
 * @param thrown an error, or Node's AggregateError after several addresses: one shortage among its errors is enough,
 *   because that address was never asked
 * @returns null if it is not a shortage of the proxy
 */
export function ownShortageOf(thrown: unknown): OwnShortage | null {
  switch (codeOf(thrown)) {
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOBUFS':
    case 'ENOMEM':
    case 'ENOSPC':
      return 'own_shortage';
    case 'EADDRNOTAVAIL':
      return 'own_ports';
  }
  if (!(thrown instanceof AggregateError)) return null;
  const found = thrown.errors.map(ownShortageOf);
  return found.find((shortage) => shortage === 'own_shortage') ?? found.find((one) => one !== null) ?? null;
}
