import type { TcpAddress } from '../../core/address.ts';

/** Options for `listen`. Every interface is said by no host: Node then does with IPv4 alone where it must. */
export function listenOptions({ host, port }: TcpAddress): { host?: string; port: number } {
  return host === '::' ? { port } : { host, port };
}
