/** Format of CIDR blocks. */
import { isIP } from 'node:net';
import type { Format } from './formats.ts';
import { FormatError, describe } from './formats.ts';

/** An IP address or a CIDR block. */
export const addressBlock: Format<string> = (value) => {
  const [address = '', length, more] = typeof value === 'string' ? value.split('/') : [];
  const family = isIP(address);
  const maxPrefixBits = family === 4 ? 32 : 128;
  const fits = length === undefined || (/^\d{1,3}$/.test(length) && Number(length) <= maxPrefixBits);
  if (typeof value === 'string' && family !== 0 && more === undefined && fits && !address.includes('%'))
    return value;
  throw new FormatError(
    `${describe(value)} is neither an IP address nor a CIDR block: write one such as 10.0.0.0/8 or fd00::/8`,
  );
};
