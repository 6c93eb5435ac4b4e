/** Says how to start in spite of an address that cannot be listened on. */
import { formatAddress, type TcpAddress } from '../../core/address.ts';
import { ListenError, codeOf } from '../../core/errors.ts';
import { nextFree } from './free-port.ts';
import { portHolder, type PortHolder } from './port-holder.ts';

/** Ports in place of privileged ones. */
const UNPRIVILEGED: ReadonlyMap<number, number> = new Map([
  [80, 8080],
  [443, 8443],
]);
const MIN_UNPRIVILEGED = 1024;

/** Facts about the machine. */
interface Machine {
  readonly holder: (address: TcpAddress) => PortHolder | null;
  readonly nextFree: (address: TcpAddress) => Promise<TcpAddress | null>;
}

const MACHINE: Machine = { holder: portHolder, nextFree };

/**
 * Returns lines with the process that has the address, and a command with another one. Empty if there is no
 * remedy beyond the error's own.
 *
 * @param command returns the command that sets a setting to an address
 */
export async function listenRemedy(
  failure: unknown,
  command: (setting: string, address: string) => string,
  machine: Machine = MACHINE,
): Promise<string> {
  if (!(failure instanceof ListenError)) return '';
  const { address, setting } = failure;
  const code = codeOf(failure.cause);
  const isInUse = code === 'EADDRINUSE';
  const isForbidden = (code === 'EACCES' || code === 'EPERM') && address.port < MIN_UNPRIVILEGED;
  if (!isInUse && !isForbidden) return '';
  const holder = isInUse ? machine.holder(address) : null;
  const port = isInUse ? address.port + 1 : (UNPRIVILEGED.get(address.port) ?? address.port + 8000);
  const other = await machine.nextFree({ ...address, port });
  return [
    ...(holder === null ? [] : [`Process ${holder.pid} (${holder.name}) has the address.\n`]),
    ...(other === null ? [] : [`Another address: ${command(setting, formatAddress(other))}\n`]),
  ].join('');
}

/** Quotes arguments for a POSIX shell. */
export function shellWords(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w%+,./:=@^-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
}
