import { codeOf } from './errors.ts';

/**
 * What of our own has run out: `own_shortage` is descriptors or memory, of the process or the machine, and every
 * other try fails too; `own_ports` is local ports towards one address, and another address has its own.
 */
type OwnShortage = 'own_shortage' | 'own_ports';

/**
 * Tells a shortage of the proxy's own from a failure of the peer. EADDRNOTAVAIL is what connect(2) says when all local
 * ports towards an address are taken, or when no local address can reach it. ENOSPC is epoll_ctl's, at
 * /proc/sys/fs/epoll/max_user_watches.
 *
 * @param thrown also the AggregateError that Node makes when it has tried several addresses: one shortage among its
 *   errors is enough, because that address was never asked
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
