import { tunnelClusters } from '../config/schema/tunnel-clusters.ts';
import type { Config } from '../config/types/config.ts';
import { formatAddress, isAnyHost, type TcpAddress } from '../core/address.ts';

/** Returns the URL of each listener and of the admin server, for a newcomer at a terminal. */
export function banner(config: Config, admin: TcpAddress): string {
  const rows = config.listeners.map((listener): [string, string] => {
    if (listener.mode === 'l4')
      return [
        listener.name,
        `${browsable(listener.address)} (TCP to ${tunnelClusters(listener).join(', ')})`,
      ];
    const scheme = listener.tls === null ? 'http' : 'https';
    return [listener.name, `${scheme}://${browsable(listener.address)}/`];
  });
  rows.push(['admin', `http://${browsable(admin)}/status`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, where]) => `    ${name.padEnd(width)}  ${where}\n`);
  return `\n  sluice is ready. Open in a browser, or end with Ctrl-C:\n\n${lines.join('')}\n`;
}

/** Replaces a wildcard host, which a browser cannot open, by localhost. */
function browsable(address: TcpAddress): string {
  return formatAddress(isAnyHost(address.host) ? { ...address, host: 'localhost' } : address);
}
