import { AddressSet } from '../../src/core/address-set.ts';
import type { MicroCase } from './micro-case.ts';

/** Looks up addresses in lists of networks, with and without a match. */
export default function cases(): MicroCase[] {
  return [10, 1000, 100_000].flatMap((count) => {
    const networks = new AddressSet(
      Array.from({ length: count }, (_, index) =>
        index % 2 === 0
          ? `10.${index >> 9}.${(index >> 1) & 255}.0/25`
          : `2001:db8:${(index >> 1).toString(16)}::/64`,
      ),
    );
    return [
      find(networks, count, '10.0.1.77', true),
      find(networks, count, '10.0.1.177', false),
      find(networks, count, '2001:db8:3::1', true),
      find(networks, count, '2001:db8:3:1::1', false),
    ];
  });
}

function find(networks: AddressSet, count: number, address: string, isIn: boolean): MicroCase {
  const name = `${isIn ? 'find' : 'miss'} ${address} in ${count} networks`;
  if (networks.has(address) !== isIn) throw new Error(`cannot ${name}`);
  return { name, run: () => networks.has(address) };
}
