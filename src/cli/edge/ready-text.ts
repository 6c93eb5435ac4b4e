/** The text of `sluice to` when the proxy is ready. */
import type { Listener } from '../../config/types/listener.ts';
import { formatAddress, isAnyHost, type TcpAddress } from '../../core/address.ts';
import type { EdgePlan } from './edge-plan.ts';

/**
 * Returns the addresses to open, and the servers behind them.
 *
 * @param listeners the running listeners, in the order of the configuration: the web listener, then tunnels
 * @param admin the address of the admin server
 */
export function readyText(
  { targets, certificate, host, tunnels }: EdgePlan,
  listeners: readonly Pick<Listener, 'address'>[],
  admin: TcpAddress,
): string {
  const [web, ...locals] = listeners.map(({ address }) => address);
  const place = web === undefined ? '' : nameable(web, host);
  const s = certificate === null ? '' : 's';
  const servers = targets.map(({ address }) => formatAddress(address)).join(', ');
  const rows = [
    ['open', `http${s}://${place}/`],
    ['WebSocket', `ws${s}://${place}/`],
    ['leads to', servers],
    ...tunnels.map(({ to }, index) => [
      'tunnel',
      `${formatAddress(locals[index] ?? to)} leads to ${formatAddress(to)}`,
    ]),
    ['status page', `http://${nameable(admin, null)}/`],
  ] as const;
  const width = Math.max(...rows.map(([name = '']) => name.length));
  const lines = rows.map(([name = '', value = '']) => `    ${name.padEnd(width)}  ${value}\n`);
  return `\n  sluice is ready. Ctrl-C ends it.\n\n${lines.join('')}\n`;
}

/** Returns an address that a client can use. */
function nameable(address: TcpAddress, host: string | null): string {
  if (host !== null && !host.startsWith('*')) return `${host}:${address.port}`;
  return formatAddress(isAnyHost(address.host) ? { ...address, host: 'localhost' } : address);
}
