/** Which series of the stats pages an entry of a cluster's endpoints has. */
import { isIP } from 'node:net';
import type { Endpoint } from '../config/types.ts';
import { formatAddress, type TcpAddress } from '../core/address.ts';

/** So many of the addresses of one name are used. */
const MOST_OF_A_NAME = 32;

/** The address of an entry that is a name, which stands for any number of endpoints; null for any other. */
export function nameOf({ address }: Endpoint): TcpAddress | null {
  return address.kind === 'tcp' && isIP(address.host) === 0 ? address : null;
}

/**
 * The labels of an entry's series. A name gets a fixed number of them, which are lent to the addresses that it
 * stands for: what they are called then is the primary's to say.
 */
export function seriesOf(endpoint: Endpoint): readonly string[] {
  const text = formatAddress(endpoint.address);
  if (nameOf(endpoint) === null) return [text];
  return Array.from({ length: MOST_OF_A_NAME }, (_, index) => `${text}#${index}`);
}
