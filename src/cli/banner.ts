import { tunnelClusters } from '../config/schema/tunnel-clusters.ts';
import type { Config } from '../config/types/config.ts';
import { formatAddress, isAnyHost, type TcpAddress } from '../core/address.ts';

/** Listeners beyond this number are counted only: the banner fits on a screen of 24 lines. */
const MAX_LISTENERS = 12;

/** Returns the URL of each listener and of the status page, for a person at a terminal. */
export function banner(config: Config, admin: TcpAddress): string {
  const { listeners } = config;
  const rows = listeners.slice(0, MAX_LISTENERS).map((listener): [string, string] => {
    if (listener.mode === 'l4')
      return [
        listener.name,
        `${browsable(listener.address)} (TCP to ${tunnelClusters(listener).join(', ')})`,
      ];
    const scheme = listener.tls === null ? 'http' : 'https';
    return [listener.name, `${scheme}://${browsable(listener.address)}/`];
  });
  const more = listeners.length - rows.length;
  if (more > 0) rows.push(['...', `and ${more} more ${more === 1 ? 'listener' : 'listeners'}`]);
  rows.push(['status page', `http://${browsable(admin)}/`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, where]) => `    ${name.padEnd(width)}  ${where}\n`);
  return `\n  sluice is ready. Ctrl-C ends it.\n\n${lines.join('')}${demoText(config)}\n`;
}

/** Names the page to open first. Empty without a demo, or without a listener for browsers. */
function demoText({ demo, listeners }: Config): string {
  const page = listeners.find((listener) => listener.mode === 'l7' && listener.tls === null);
  return demo === null || page === undefined ? '' : `\n  The demo: http://${browsable(page.address)}/\n`;
}

/** Replaces a wildcard host, which a browser cannot open, by localhost. */
function browsable(address: TcpAddress): string {
  return formatAddress(isAnyHost(address.host) ? { ...address, host: 'localhost' } : address);
}
