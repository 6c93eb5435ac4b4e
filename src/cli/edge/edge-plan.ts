/** Reads the options that `to` and `init` share. */
import { FormatError } from '../../config/syntax/formats.ts';
import { hostPattern } from '../../config/syntax/host.ts';
import { formatAddress, isLoopbackHost, overlap, type TcpAddress } from '../../core/address.ts';
import { UsageError } from '../../core/errors.ts';
import type { CommandOptions } from '../arguments.ts';
import { parseListen, parseTarget, parseTunnel, type Target, type Tunnel } from './target.ts';

/** A proxy in front of one server, or of several equal ones. */
export interface EdgePlan {
  readonly targets: readonly Target[];
  readonly listen: TcpAddress;
  /** The only host that is served. Null for all. */
  readonly host: string | null;
  readonly certificate: Certificate | null;
  readonly tunnels: readonly Tunnel[];
  readonly admin: TcpAddress;
}

/** Paths of PEM files. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Options of a command, with defaults for `--listen` and `--admin`. */
interface Defaults {
  readonly listen: string;
  /** A port that a listener takes is replaced by the next one. */
  readonly admin: string;
}

export const DEFAULT_LISTEN = '127.0.0.1:8080';
export const DEFAULT_ADMIN = '127.0.0.1:9480';

/** @throws UsageError if a value is not valid, or if two values exclude each other */
export function planOf(
  { flags, lists, operands }: Pick<CommandOptions, 'flags' | 'lists' | 'operands'>,
  { listen, admin }: Defaults = { listen: DEFAULT_LISTEN, admin: DEFAULT_ADMIN },
): EdgePlan {
  if (operands.length === 0) {
    throw new UsageError('no target given: write the port of your server, as in sluice to 3000');
  }
  const host = flags.get('host') ?? null;
  const own = flags.get('admin');
  const edge = {
    targets: operands.map(parseTarget),
    listen: parseListen('--listen', flags.get('listen') ?? listen),
    host: host === null ? null : parseHost(host),
    certificate: certificateOf(flags.get('cert'), flags.get('key')),
    tunnels: (lists.get('tcp') ?? []).map(parseTunnel),
  };
  const defaultAdmin = parseListen('--admin', admin);
  const plan: EdgePlan = {
    ...edge,
    admin: own === undefined ? apart(defaultAdmin, clientAddresses(edge)) : parseListen('--admin', own),
  };
  checkPlan(plan);
  return plan;
}

/** Returns the addresses that clients connect to. */
export function clientAddresses({ listen, tunnels }: Pick<EdgePlan, 'listen' | 'tunnels'>): TcpAddress[] {
  return [listen, ...tunnels.map((tunnel) => tunnel.listen)];
}

/** Returns the address, or the next one that none of the others overlaps. */
function apart(address: TcpAddress, others: readonly TcpAddress[]): TcpAddress {
  let found = address;
  while (others.some((other) => overlap(other, found))) found = { ...found, port: found.port + 1 };
  return found;
}

/** Parses a host name, or `*.` and a name. @throws UsageError */
export function parseHost(text: string): string {
  if (/^\d+$/.test(text))
    throw new UsageError(`--host: ${text} is a number: write a name such as chat.example.com`);
  try {
    return hostPattern(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new UsageError(`--host: ${error.message}`);
  }
}

function certificateOf(cert: string | undefined, key: string | undefined): Certificate | null {
  if (cert !== undefined && key !== undefined) return { cert, key };
  if (cert === undefined && key === undefined) return null;
  throw new UsageError('TLS needs both --cert FILE and --key FILE');
}

function checkPlan({ targets, listen, tunnels, admin }: EdgePlan): void {
  if (targets.some(({ tls }) => tls) && targets.some(({ tls }) => !tls)) {
    throw new UsageError('some targets have TLS and others not: begin all with https://, or none');
  }
  const own = [
    { option: '--listen', address: listen },
    ...tunnels.map((tunnel) => ({ option: '--tcp', address: tunnel.listen })),
    { option: '--admin', address: admin },
  ];
  for (const [index, { option, address }] of own.entries()) {
    const other = own.slice(0, index).find((earlier) => overlap(earlier.address, address));
    if (other !== undefined) {
      const where = formatAddress(address);
      throw new UsageError(`${option} and ${other.option} both have ${where}: choose another port for one`);
    }
  }
  for (const { address } of targets) {
    if (address.kind === 'tcp' && isSame(address, listen)) {
      throw new UsageError(
        `sluice would proxy ${formatAddress(address)} to itself: choose another port with --listen`,
      );
    }
  }
}

/** Whether connections to an address arrive at a listening address of this machine. */
function isSame(address: TcpAddress, listening: TcpAddress): boolean {
  const isLocal = isLoopbackHost(address.host) && isLoopbackHost(listening.host);
  return overlap(address, listening) || (isLocal && address.port === listening.port);
}
