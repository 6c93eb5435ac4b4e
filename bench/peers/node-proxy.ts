/** Runs one of the Node proxies: `node-proxy.ts PACKAGE WS_PORT WSS_PORT ENDPOINT_PORT CERT KEY`. */
import { readFileSync } from 'node:fs';

interface ProxyServer {
  listen(port: number, hostname: string): unknown;
  on(event: 'error', listener: () => void): unknown;
}
interface ProxyPackage {
  readonly createProxyServer: (options: {
    readonly target: string;
    readonly ws: boolean;
    readonly ssl?: { readonly cert: string; readonly key: string };
  }) => ProxyServer;
}

const [name = '', ws, wss, endpoint = '', cert = '', key = ''] = process.argv.slice(2);
const library = (await import(name)) as ProxyPackage;
const options = { target: `http://127.0.0.1:${endpoint}`, ws: true };
const ssl = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') };
for (const [port, proxy] of [
  [ws, library.createProxyServer(options)],
  [wss, library.createProxyServer({ ...options, ssl })],
] as const) {
  // Without an `error` listener, both proxies would throw.
  proxy.on('error', () => undefined);
  proxy.listen(Number(port), '127.0.0.1');
}
