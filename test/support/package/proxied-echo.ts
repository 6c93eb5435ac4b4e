/** An installed sluice that proxies WebSockets to an endpoint of the library `ws`. */
import assert from 'node:assert/strict';
import { Scripted, echoTo } from '../processes/load-generator.ts';
import { startSluice } from '../processes/sluice-process.ts';
import { WsClient } from '../websocket/ws-client.ts';
import type { Project } from './package-stage.ts';

/** Listeners of an installed sluice, by their names: the settings of each. */
export type ProxiedListeners = Readonly<Record<string, object>>;

/**
 * Runs the installed sluice with these listeners, sends a message through each and asks for the status page.
 * Ends it by SIGTERM.
 *
 * @returns the text of its stderr
 */
export async function proxyEchoes(project: Project, listeners: ProxiedListeners): Promise<string> {
  const endpoint = await Scripted.listen(echoTo);
  const sluice = await startSluice({
    config: echoConfig(listeners, new URL(endpoint.url).host),
    command: [project.node, project.sluice],
  });
  try {
    for (const [name, settings] of Object.entries(listeners)) {
      const scheme = 'tls' in settings ? 'wss' : 'ws';
      const client = await WsClient.connect(`${scheme}://${sluice.address(name)}/`, [], {
        rejectUnauthorized: false,
      });
      client.send(`through ${name}`);
      assert.equal((await client.next()).data.toString(), `through ${name}`);
      client.socket.terminate();
    }
    const page = await fetch(`http://${sluice.admin}/`);
    assert.match(await page.text(), /<title>sluice/i);
    assert.deepEqual(await sluice.stop(), { code: 0, signal: null });
    return sluice.stderr;
  } finally {
    sluice.kill('SIGKILL');
    endpoint.close();
  }
}

/** Returns the configuration of {@link proxyEchoes}. @param listeners settings beside name, address and routes */
export function echoConfig(listeners: ProxiedListeners, endpoint: string): object {
  return {
    admin: { address: '127.0.0.1:0' },
    log: { format: 'json' },
    workers: { l7: 1 },
    listeners: Object.entries(listeners).map(([name, settings]) => ({
      name,
      mode: 'l7',
      address: '127.0.0.1:0',
      routes: [{ name: 'all', match: {}, cluster: 'app' }],
      ...settings,
    })),
    clusters: [{ name: 'app', endpoints: [{ address: endpoint }] }],
  };
}
