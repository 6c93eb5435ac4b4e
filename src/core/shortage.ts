import { codeOf } from './errors.ts';

/**
 * A shortage on sluice's side. `own_shortage`: the process or machine lacks descriptors or memory, so every
 * other attempt fails too. `own_ports`: no free local ports for one address, while other addresses have their
 * own.
 */
type OwnShortage = 'own_shortage' | 'own_ports';

/**
 * Distinguishes a shortage of sluice from a failure of the peer. connect(2) fails with EADDRNOTAVAIL if all
 * local ports for an address are in use, or no local address can reach it. epoll_ctl(2) fails with ENOSPC at
 * /proc/sys/fs/epoll/max_user_watches.
 *
 * @param thrown an error, or Node's AggregateError after several addresses: one shortage among its errors
 * counts, because that address was never tried
 * @returns null if it is not a shortage of sluice
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
