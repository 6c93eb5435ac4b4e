/** A real proxy whose listeners choose tunnels by server name, and the endpoints behind them. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { scrape, settled } from '../../support/http/metrics.ts';
import { startSluice, type SluiceProcess } from '../../support/processes/sluice-process.ts';
import { TcpEndpoint, TcpPeer } from '../../support/sockets/tcp-peer.ts';
import { clientHello, serverName } from '../../support/tls/hello-building.ts';

/** What leads to the tunnels. */
export interface TunnelDoor {
  readonly layer: 'l4' | 'l7';
  readonly engine: 'raw' | 'net';
}

/** The name in the captured hello of Node. */
export const CAPTURED = 'node.example.com';
const PASSTHROUGH = [
  { serverName: [CAPTURED, '*.db.example.com'], cluster: 'db' },
  { serverName: 'mail.example.com', cluster: 'mail' },
];
const GAUGES = ['sluice_tunnels_active', 'sluice_connections_active', 'sluice_endpoint_connections_active'];
const TOKEN = 'a-token-for-tests-only';

export function helloFor(name: string): Buffer {
  return clientHello([serverName(name)]);
}

export function digestOf(...parts: readonly (Buffer | string)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

/** Waits for FIN or a reset; returns the name of the error that a reset makes. */
export function endOf(client: TcpPeer): Promise<string> {
  client.socket.allowHalfOpen = false;
  if (client.socket.readableEnded) client.end();
  return client.closed();
}

/** Its listeners are `tcp`, `small`, which takes two connections, and `moving`, which {@link reload} changes. */
export class ServerNamesRig {
  readonly sluice: SluiceProcess;
  readonly db: TcpEndpoint;
  readonly mail: TcpEndpoint;
  readonly #door: TunnelDoor;
  readonly #clients: TcpPeer[] = [];

  private constructor(door: TunnelDoor, sluice: SluiceProcess, db: TcpEndpoint, mail: TcpEndpoint) {
    this.#door = door;
    this.sluice = sluice;
    this.db = db;
    this.mail = mail;
  }

  static async start(door: TunnelDoor): Promise<ServerNamesRig> {
    const db = await TcpEndpoint.listen();
    const mail = await TcpEndpoint.listen();
    const sluice = await startSluice({ config: configOf(door, { db, mail }) });
    return new ServerNamesRig(door, sluice, db, mail);
  }

  /** Connects; nothing is read before the client is told to. */
  async connect(listener = 'tcp'): Promise<TcpPeer> {
    const client = await TcpPeer.connect(this.sluice.address(listener));
    this.#clients.push(client);
    return client;
  }

  /** Sends a hello, and waits for the connection at the endpoint. */
  async join(
    hello: Buffer,
    endpoint: TcpEndpoint,
    listener = 'tcp',
  ): Promise<{ readonly client: TcpPeer; readonly peer: TcpPeer }> {
    const client = await this.connect(listener);
    client.send(hello);
    return { client, peer: await endpoint.peers.next() };
  }

  /** Asks the admin server for a change. */
  async post(path: string): Promise<void> {
    const headers = { authorization: `Bearer ${TOKEN}`, connection: 'close' };
    const answer = await fetch(`http://${this.sluice.admin}${path}`, { method: 'POST', headers });
    assert.ok(answer.ok, await answer.text());
  }

  /** Reloads. @param moving settings of that listener; none for those that it had at the start */
  async reload(moving: object = {}): Promise<void> {
    this.sluice.writeConfig(configOf(this.#door, this, moving));
    await this.post('/reload');
  }

  async rejected(reason: string): Promise<number> {
    return (await scrape(this.sluice)).sum('sluice_connections_rejected_total', { reason });
  }

  /** Tunnels that ended for a reason. */
  async closed(reason: string): Promise<number> {
    return (await scrape(this.sluice)).sum('sluice_tunnels_closed_total', { reason });
  }

  /** Connections of a listener that are open now. */
  async active(listener: string): Promise<number> {
    return (await scrape(this.sluice)).sum('sluice_connections_active', { listener });
  }

  /** Cuts every connection and waits until the proxy counts none. */
  async clear(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.destroy();
    for (const endpoint of [this.db, this.mail]) endpoint.clear();
    await settled(this.sluice, GAUGES);
    // Connections of departed clients may have arrived since.
    for (const endpoint of [this.db, this.mail]) endpoint.clear();
  }

  async stop(): Promise<void> {
    for (const endpoint of [this.db, this.mail]) endpoint.close();
    await this.sluice.stop();
  }
}

function configOf(
  { layer, engine }: TunnelDoor,
  { db, mail }: { readonly db: TcpEndpoint; readonly mail: TcpEndpoint },
  moving: object = {},
): object {
  const listener = (name: string, settings: object): object => ({
    ...{ name, mode: layer, address: '127.0.0.1:0', engine, passthrough: PASSTHROUGH },
    ...(layer === 'l7' && { routes: [{ match: {}, respond: { status: 204 } }] }),
    ...settings,
  });
  return {
    workers: { l7: 1, l4: 1 },
    admin: { address: '127.0.0.1:0', token: TOKEN },
    shutdown: { grace: '0s' },
    log: { level: 'debug' },
    listeners: [listener('tcp', {}), listener('small', { maxConnections: 2 }), listener('moving', moving)],
    clusters: Object.entries({ db, mail }).map(([name, { address }]) => ({
      name,
      connectTimeout: '3s',
      endpoints: [{ address }],
    })),
  };
}
