/** Formats of host names. */
import { isIPv6 } from 'node:net';
import type { TcpAddress } from '../../core/address.ts';
import { described } from './format-description.ts';
import type { Format } from './formats.ts';
import { FormatError, describe, pattern } from './formats.ts';

const NAME = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*$/i;

const readName = pattern(
  NAME,
  'a host name',
  'write letters, digits and "-" with dots between, without a port',
);

/** A host name such as `app.internal`. Returned in lower case. */
export const hostName: Format<string> = (value) => readName(value).toLowerCase();

/**
 * Host of a match: a name, `*.` and a name, an IPv4 address, or a bracketed IPv6 address. Returned in lower
 * case.
 */
export const hostPattern: Format<string> = (value) => {
  if (typeof value === 'string') {
    const name = value.startsWith('*.') ? value.slice(2) : value;
    const address = /^\[([^%]+)\]$/.exec(value)?.[1] ?? '';
    if (NAME.test(name) || isIPv6(address)) return value.toLowerCase();
    if (value === '*') throw new FormatError('"*" is the same as no host: leave the key out');
    if (value.includes('*')) {
      throw new FormatError(`${describe(value)} has a star inside: only "*." at the front can be matched`);
    }
    if (isIPv6(value)) throw new FormatError(`${describe(value)} needs brackets: write "[${value}]"`);
    if (/:\d+$/.test(value)) {
      throw new FormatError(`${describe(value)} has a port, which is not matched: write the host alone`);
    }
  }
  return hostName(value);
};

const readHostAndPort: Format<string> = (value) => {
  const [, host = '', port] = (typeof value === 'string' && /^(.*?)(?::(\d{1,5}))?$/.exec(value)) || [];
  const address = /^\[([^%]+)\]$/.exec(host)?.[1] ?? '';
  const fits = port === undefined || Number(port) <= 65535;
  if (fits && (NAME.test(host) || isIPv6(address))) return String(value).toLowerCase();
  throw new FormatError(
    `${describe(value)} is not a host: write a name or an address, with or without a port, such as app.internal:8080`,
  );
};

/** A Host header: a name or an address, with an optional port. Returned in lower case. */
export const hostAndPort = described(
  { type: 'text', what: 'a host', remedy: 'write a name or an address, with or without a port' },
  readHostAndPort,
);

const readServiceName: Format<TcpAddress> = (value) => {
  const name = typeof value === 'string' && value.endsWith(':0') ? value.slice(0, -2) : value;
  if (typeof name === 'string' && NAME.test(name) && !/^[\d.]+$/.test(name)) {
    return { kind: 'tcp', host: name.toLowerCase(), port: 0 };
  }
  throw new FormatError(
    `${describe(value)} is not the name of SRV records: write one such as _ws._tcp.example.com, without a port`,
  );
};

/** Name of SRV records (RFC 2782), such as `_ws._tcp.example.com`. The records contain the port. */
export const serviceName = described(
  {
    type: 'text',
    what: 'the name of SRV records',
    remedy: 'write one such as _ws._tcp.example.com',
    pattern: String.raw`^[\w.-]+(?::0)?$`,
  },
  readServiceName,
);
