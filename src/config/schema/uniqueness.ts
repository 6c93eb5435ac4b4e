/** Checks that names and listening addresses are unique. */
import { formatAddress, overlap, type TcpAddress } from '../../core/address.ts';
import type { Problems } from '../syntax/problems.ts';
import type { Located } from '../syntax/section.ts';
import type { Listener } from '../types/listener.ts';

/** The name of an entry. */
interface Named extends Located<string> {
  /** Whether the name is made of other keys. */
  readonly isDerived?: boolean;
}

/** Adds an error for each name that an earlier entry has. `what` is `listeners`, `clusters` or `routes`. */
export function refuseDuplicateNames(names: readonly Named[], what: string, problems: Problems): void {
  const seen = new Set<string>();
  for (const { path, value, isDerived = false } of names) {
    // An empty name replaces a missing one, which has its own error.
    if (value !== '' && seen.has(value)) {
      const remedy = isDerived ? 'this one has it by default, so write a name here' : 'rename one';
      problems.error([...path, 'name'], `two ${what} have the name "${value}": ${remedy}`);
    }
    seen.add(value);
  }
}

/** Adds an error for each listener whose address overlaps the admin server's or an earlier listener's. */
export function refuseSharedAddresses(
  admin: TcpAddress,
  listeners: readonly Located<Listener>[],
  problems: Problems,
): void {
  const taken: { readonly address: TcpAddress; readonly by: string }[] = [{ address: admin, by: 'admin' }];
  for (const { path, value } of listeners) {
    const { address } = value;
    const owner = taken.find((other) => overlap(other.address, address));
    if (owner !== undefined) {
      const clash = `overlaps ${formatAddress(owner.address)}, where ${owner.by} listens`;
      problems.valueError([...path, 'address'], `"${formatAddress(address)}" ${clash}: choose another`);
    }
    taken.push({ address, by: `the listener "${value.name}"` });
  }
}
