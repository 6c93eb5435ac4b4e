/** Reads the addresses on the command lines of `to` and `init`. */
import { isIPv6 } from 'node:net';
import {
  MAX_SOCKET_PATH_BYTES,
  parseAddress,
  parseTcpAddress,
  type Address,
  type TcpAddress,
} from '../../core/address.ts';
import { UsageError } from '../../core/errors.ts';

/** A server behind the proxy. */
export interface Target {
  readonly address: Address;
  readonly tls: boolean;
}

/** A local address whose connections are tunnelled to a server. */
export interface Tunnel {
  readonly listen: TcpAddress;
  readonly to: TcpAddress;
}

/** Servers such as Vite listen on the first address of this name, which may be `::1`. */
export const LOCAL_HOST = 'localhost';
const LOOPBACK = '127.0.0.1';
const URL_START = /^(https?|wss?):\/\//i;
const TUNNEL = /^(?:(\[[^\]]*\]|[^:[\]]*):)?(\d{1,5}):(\[[^\]]+\]|[^:[\]]+):(\d{1,5})$/;

/**
 * Parses a port of this machine, with or without a colon, `host:port`, a URL without a path, or `unix:/path`.
 *
 * @throws UsageError in one line that says what to write
 */
export function parseTarget(text: string): Target {
  const address = URL_START.test(text) ? null : parseAddress(text.replace(/^:?(?=\d+$)/, `${LOCAL_HOST}:`));
  if (address === undefined) {
    throw new UsageError(`${text}: write a port such as 3000, host:port, http://host:port, or unix:/path`);
  }
  const target = address === null ? parseUrl(text) : { address, tls: false };
  if (target.address.kind === 'unix') {
    if (Buffer.byteLength(target.address.path) > MAX_SOCKET_PATH_BYTES) {
      throw new UsageError(`${text}: the path has more than ${MAX_SOCKET_PATH_BYTES} bytes`);
    }
  } else if (target.address.port === 0 || target.address.host === '::') {
    throw new UsageError(`${text}: no server has this address: write a host and a port above 0`);
  }
  return target;
}

function parseUrl(text: string): Target {
  const url = URL.parse(text);
  if (url === null) throw new UsageError(`${text}: write the URL as in http://127.0.0.1:3000`);
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`${text}: leave the name and password out: clients send their own`);
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw new UsageError(`${text}: leave the path out: the path of each request is forwarded`);
  }
  const tls = url.protocol === 'https:' || url.protocol === 'wss:';
  const port = url.port === '' ? (tls ? '443' : '80') : url.port;
  const address = parseTcpAddress(`${url.hostname}:${port}`);
  if (address === undefined) throw new UsageError(`${text}: ${url.hostname} is no host name or IP address`);
  return { address, tls };
}

/**
 * Parses an address to listen on. A port alone is one of the loopback address.
 *
 * @param option the option's name, for the error
 * @throws UsageError
 */
export function parseListen(option: string, text: string): TcpAddress {
  const address = parseTcpAddress(/^\d+$/.test(text) ? `${LOOPBACK}:${text}` : text);
  if (address !== undefined) return address;
  const hint = isIPv6(text) ? `[${text}]:8080` : '127.0.0.1:8080, or :8080 for all interfaces';
  throw new UsageError(`${option} ${text}: write host:port, such as ${hint}`);
}

/** Parses `[ADDRESS:]PORT:HOST:PORT`. @throws UsageError */
export function parseTunnel(text: string): Tunnel {
  const [, bind, port = '', host = '', remote = ''] = TUNNEL.exec(text) ?? [];
  const listen = parseTcpAddress(`${bind ?? LOOPBACK}:${port}`);
  const to = parseTcpAddress(`${host}:${remote}`);
  if (listen === undefined || to === undefined || to.port === 0) {
    throw new UsageError(`--tcp ${text}: write PORT:HOST:PORT, such as 5432:db:5432`);
  }
  return { listen, to };
}
