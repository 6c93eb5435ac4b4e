import { formatAddress } from '../../core/address.ts';
import type { TcpAddress } from '../../core/address.ts';
import { ListenError, codeOf, messageOf } from '../../core/errors.ts';

/**
 * Describes in one line why a listen failed and what to do.
 *
 * @param what the part that tried to listen, in words for a person: `listener "web"`
 * @param setting the setting with the address: `admin.address`
 */
export function listenError(
  what: string,
  setting: string,
  address: TcpAddress,
  thrown: unknown,
): ListenError {
  const message = `${what} cannot listen on ${formatAddress(address)}: ${reason(setting, address, thrown)}`;
  return new ListenError(message, setting, address, thrown);
}

function reason(setting: string, address: TcpAddress, thrown: unknown): string {
  switch (codeOf(thrown)) {
    case 'EADDRINUSE':
      return `the address is in use; stop the process that has it, or change ${setting}`;
    case 'EACCES':
    case 'EPERM':
      return `no permission for port ${address.port}; change ${setting} to a port from 1024 up, or grant CAP_NET_BIND_SERVICE`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return 'no network interface of this machine has that address; choose one that it has, or 0.0.0.0';
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
    case 'EAI_NONAME':
      return `the host ${address.host} does not resolve; correct the name, or give an IP address`;
    default:
      return messageOf(thrown);
  }
}
