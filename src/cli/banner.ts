import { tunnelClusters } from '../config/schema/tunnel-clusters.ts';
import type { Config } from '../config/types/config.ts';
import type { L7Listener } from '../config/types/listener.ts';
import type { TcpAddress } from '../core/address.ts';
import { clientAddress, clientUrl } from './client-url.ts';

/** Listeners beyond this number are counted only: the banner fits on a screen of 24 lines. */
const MAX_LISTENERS = 12;

/** Returns the URL of each listener and of the status page, for a person at a terminal. */
export function banner(config: Config, admin: TcpAddress): string {
  const { listeners } = config;
  const rows = listeners.slice(0, MAX_LISTENERS).map((listener): [string, string] => {
    if (listener.mode === 'l4')
      return [
        listener.name,
        `${clientAddress(listener.address, null)} (TCP to ${tunnelClusters(listener).join(', ')})`,
      ];
    return [listener.name, clientUrl(listener)];
  });
  const more = listeners.length - rows.length;
  if (more > 0) rows.push(['...', `and ${more} more ${more === 1 ? 'listener' : 'listeners'}`]);
  rows.push(['status page', `http://${clientAddress(admin, null)}/`]);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = rows.map(([name, where]) => `    ${name.padEnd(width)}  ${where}\n`);
  return `\n  sluice is ready. Ctrl-C ends it.\n\n${lines.join('')}${demoText(config)}\n`;
}

/** Names the page to open first. Empty without a demo, or without a listener that has its page. */
function demoText({ demo, listeners }: Config): string {
  if (demo === null) return '';
  const clusters = new Set(Object.values(demo).filter((name) => name !== null));
  const page = listeners.find((listener) => listener.mode === 'l7' && hasDemoPage(listener, clusters));
  return page?.mode === 'l7' ? `\n  The demo: ${clientUrl(page)}\n` : '';
}

/** Whether a listener has files for a browser, and leads to the demo. */
function hasDemoPage({ routes }: L7Listener, clusters: ReadonlySet<string>): boolean {
  const actions = routes.map(({ action }) => action);
  return (
    actions.some(({ kind }) => kind === 'static') &&
    actions.some((action) => action.kind === 'cluster' && clusters.has(action.cluster))
  );
}
