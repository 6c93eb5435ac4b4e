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
  const taken: Taken[] = [{ address: admin, by: 'admin', listener: null }];
  for (const listener of listeners) {
    const { path, value } = listener;
    const { address } = value;
    const owner = taken.find((other) => overlap(other.address, address));
    if (owner !== undefined) {
      const clash = `overlaps ${formatAddress(owner.address)}, where ${owner.by} listens`;
      const remedy = remedyFor(listener, owner.listener, problems);
      problems.valueError([...path, 'address'], `"${formatAddress(address)}" ${clash}: ${remedy}`);
    }
    taken.push({ address, by: `the listener "${value.name}"`, listener });
  }
}

/** An address and its user. */
interface Taken {
  readonly address: TcpAddress;
  readonly by: string;
  /** Null for the admin server. */
  readonly listener: Located<Listener> | null;
}

/** Two listeners of layer 7 on one address are often meant as one listener with the routes of both. */
function remedyFor(one: Located<Listener>, other: Located<Listener> | null, problems: Problems): string {
  if (one.value.mode !== 'l7' || other?.value.mode !== 'l7') return 'choose another';
  if (problems.areInOneFile(one.path, other.path)) return 'choose another, or give one listener all routes';
  return (
    'choose another, or write the listener once, with routes: [{ include: "sites/*.yaml" }], ' +
    'and a list of routes in each of these files'
  );
}
