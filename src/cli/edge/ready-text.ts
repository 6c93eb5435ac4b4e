/** The text of `sluice to` when the proxy is ready. */
import { isIP } from 'node:net';
import type { Listener } from '../../config/types/listener.ts';
import { formatAddress, type TcpAddress } from '../../core/address.ts';
import { clientAddress } from '../client-url.ts';
import { shellWords } from '../serving/listen-remedy.ts';
import { DEFAULT_ADMIN, type EdgePlan } from './edge-plan.ts';
import type { ProbedTarget } from './target-probe.ts';

/**
 * Returns the addresses to open, and the servers behind them.
 *
 * @param probed the plan's targets
 * @param listeners the running listeners, in the order of the configuration: the web listener, then tunnels
 * @param admin the address of the admin server
 */
export function readyText(
  { certificate, host, tunnels }: Omit<EdgePlan, 'targets'>,
  probed: readonly ProbedTarget[],
  listeners: readonly Pick<Listener, 'address'>[],
  admin: TcpAddress,
): string {
  const [web, ...locals] = listeners.map(({ address }) => address);
  const place = web === undefined ? '' : clientAddress(web, host);
  const s = certificate === null ? '' : 's';
  const rows = [
    ['open', `http${s}://${place}/`],
    ['WebSocket', `ws${s}://${place}/`],
    ['leads to', probed.map(serverOf).join(', ')],
    ...tunnels.map(({ to }, index) => [
      'tunnel',
      `${formatAddress(locals[index] ?? to)} leads to ${formatAddress(to)}`,
    ]),
    ['status page', `http://${clientAddress(admin, null)}/`],
    ['terminal', topCommand(admin)],
  ] as const;
  const width = Math.max(...rows.map(([name = '']) => name.length));
  const lines = rows.map(([name = '', value = '']) => `    ${name.padEnd(width)}  ${value}\n`);
  return `\n  sluice is ready. Ctrl-C ends it.\n\n${lines.join('')}\n`;
}

/** Returns a target, and the address of a name that answered. */
function serverOf({ target: { address }, answeredAt }: ProbedTarget): string {
  const isName = address.kind === 'tcp' && isIP(address.host) === 0;
  return formatAddress(address) + (isName && answeredAt !== null ? ` (${answeredAt})` : '');
}

/** Returns the command that finds this proxy, also if another one has the default address. */
function topCommand(admin: TcpAddress): string {
  const address = formatAddress(admin);
  return `sluice ${shellWords(address === DEFAULT_ADMIN ? ['top'] : ['top', '--set', `admin.address=${address}`])}`;
}
