/** A proxy that can write every kind of line to its access log, and the application behind it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import type { CertificateAuthority } from '../certificates.ts';
import type { EngineName } from '../engines.ts';
import { startSluice, type SluiceProcess } from '../processes/sluice-process.ts';
import { freePorts } from '../sockets/free-port.ts';

/** Answers `ok`; takes upgrades with the last subprotocol, but refuses those to `/denied` and hangs on `/hang`. */
export function startLoggedApp(): Promise<Server> {
  const app = createServer((_, response) => response.end('ok'));
  const sockets = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => [...offered].at(-1) ?? false,
  });
  app.on('upgrade', (request, socket, head) => {
    socket.on('error', () => undefined);
    if (request.url!.startsWith('/denied'))
      socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n');
    else if (request.url !== '/hang') sockets.handleUpgrade(request, socket, head, () => undefined);
  });
  return new Promise((settle) => app.listen(0, '127.0.0.1', () => settle(app)));
}

export async function startLoggedSluice(
  app: Server,
  authority: CertificateAuthority,
  engine: EngineName,
): Promise<SluiceProcess> {
  const [nobody] = await freePorts(1);
  const address = `127.0.0.1:${(app.address() as AddressInfo).port}`;
  const web = {
    mode: 'l7',
    address: '127.0.0.1:0',
    trustedProxies: ['127.0.0.1'],
    routes: [
      { name: 'fixed', match: { path: '/fixed' }, respond: { status: 403 } },
      { name: 'gone', match: { path: '/gone' }, cluster: 'gone' },
      { name: 'full', match: { path: '/full' }, cluster: 'full' },
      { name: 'app', match: { pathPrefix: '/app' }, cluster: 'app', rewrite: { stripPrefix: '/app' } },
    ],
  };
  const tcp = { mode: 'l4', address: '127.0.0.1:0', cluster: 'app' };
  return startSluice({
    config: {
      workers: { l7: 2, l4: 2 },
      admin: { address: '127.0.0.1:0' },
      log: { level: 'debug' },
      shutdown: { readyDelay: '0s' },
      listeners: [
        { name: 'web', engine, ...web },
        { name: 'flooded', engine, ...web },
        { name: 'unseen', engine, ...web, underscoreHeaders: 'refuse' },
        {
          name: 'secure',
          engine,
          ...web,
          tls: { certificates: [authority.issue('secure', ['DNS:app.example'])] },
        },
        { name: 'raw', ...tcp },
        { name: 'net', engine: 'net', ...tcp },
      ],
      clusters: [
        { name: 'app', endpoints: [{ address }] },
        { name: 'full', endpoints: [{ address }], maxConnections: 1 },
        {
          name: 'gone',
          endpoints: [{ address: `127.0.0.1:${nobody!}` }],
          outlier: { consecutiveFailures: 1000 },
        },
      ],
    },
  });
}
