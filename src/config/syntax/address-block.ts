/** Format of CIDR blocks. */
import { isIP } from 'node:net';
import { described } from './format-description.ts';
import type { Format } from './formats.ts';
import { FormatError, describe } from './formats.ts';

const readBlock: Format<string> = (value) => {
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

/** An IP address or a CIDR block. */
export const addressBlock = described(
  {
    type: 'text',
    what: 'an IP address or CIDR block',
    remedy: 'write one such as 10.0.0.0/8 or fd00::/8',
    pattern: String.raw`^[0-9A-Fa-f:.]+(?:/\d{1,3})?$`,
  },
  readBlock,
);
