/** A real proxy at layer 7, between the endpoints and the clients of a test. */
import assert from 'node:assert/strict';
import { scrape, settled, type Metrics } from '../http/metrics.ts';
import { startSluice, type SluiceProcess } from '../processes/sluice-process.ts';
import { RawConnection, upgradeRequest } from '../sockets/raw-connection.ts';
import { WsPeer, type ConnectOptions } from '../websocket/ws-peer.ts';

/** Something that clients are joined to. */
interface SessionSource<Peer> {
  /** Resolves with the endpoint's end of the next session. */
  session(): Promise<Peer>;
}

interface ClusterSettings {
  /** As a configuration has them. */
  readonly endpoints: readonly (string | object)[];
  readonly [setting: string]: unknown;
}

interface WebRigSettings {
  /** By name. By default each is in mode `l7` on a free port, and leads to the first cluster. */
  readonly listeners: Readonly<Record<string, object>>;
  readonly clusters: Readonly<Record<string, ClusterSettings>>;
  readonly workers?: object;
  /** Beside the address. */
  readonly admin?: object;
  /** `{ access: false }` leaves access lines out. */
  readonly log?: object;
  readonly shutdown?: object;
  readonly env?: Readonly<Record<string, string>>;
}

const GAUGES = [
  'sluice_ws_sessions_active',
  'sluice_connections_active',
  'sluice_http_requests_active',
  'sluice_endpoint_connections_active',
  'sluice_ws_buffered_bytes',
] as const;

export class WebRig {
  readonly sluice: SluiceProcess;
  /** Each cuts a client of the rig. */
  readonly #cuts: (() => void)[] = [];

  private constructor(sluice: SluiceProcess) {
    this.sluice = sluice;
  }

  static async start({
    listeners,
    clusters,
    workers,
    admin = {},
    log = {},
    shutdown = {},
    env = {},
  }: WebRigSettings): Promise<WebRig> {
    const [first] = Object.keys(clusters);
    const config = {
      workers: { l7: 1, l4: 1, ...workers },
      admin: { address: '127.0.0.1:0', ...admin },
      log,
      shutdown,
      listeners: Object.entries(listeners).map(([name, settings]) => ({
        name,
        mode: 'l7',
        address: '127.0.0.1:0',
        ...('cluster' in settings ? {} : { routes: [{ match: {}, cluster: first }] }),
        ...settings,
      })),
      clusters: Object.entries(clusters).map(([name, { endpoints, ...settings }]) => ({
        name,
        endpoints: endpoints.map((endpoint) =>
          typeof endpoint === 'string' ? { address: endpoint } : endpoint,
        ),
        ...settings,
      })),
    };
    return new WebRig(await startSluice({ config, env }));
  }

  /** `host:port` */
  address(listener: string): string {
    return this.sluice.address(listener);
  }

  /** A client of `ws`, and its session at the endpoint that the path leads to. */
  async join<Peer>(
    endpoint: SessionSource<Peer>,
    { listener = 'web', path = '/', scheme = 'ws', ...options }: JoinOptions = {},
  ): Promise<{ client: WsPeer; endpoint: Peer }> {
    const url = `${scheme}://${this.address(listener)}${path}`;
    const [client, peer] = await Promise.all([WsPeer.connect(url, options), endpoint.session()]);
    this.#cuts.push(() => client.socket.terminate());
    return { client, endpoint: peer };
  }

  /** A client that writes and reads bytes, and its session at the endpoint that the path leads to. */
  async joinRaw<Peer>(
    endpoint: SessionSource<Peer>,
    { listener = 'web', path = '/' }: Pick<JoinOptions, 'listener' | 'path'> = {},
  ): Promise<{ client: RawConnection; endpoint: Peer }> {
    const client = await this.ask({ listener, path });
    const [head, peer] = await Promise.all([client.head(), endpoint.session()]);
    assert.match(head.startLine, /^HTTP\/1\.1 101 /);
    return { client, endpoint: peer };
  }

  /** A client that has asked for a WebSocket. @param headers whole lines */
  async ask({
    listener = 'web',
    path = '/',
    headers = [],
  }: {
    readonly listener?: string;
    readonly path?: string;
    readonly headers?: readonly string[];
  } = {}): Promise<RawConnection> {
    const client = await RawConnection.connect(this.address(listener));
    this.#cuts.push(() => client.destroy());
    client.write(upgradeRequest('app.example', headers, path));
    return client;
  }

  scrape(): Promise<Metrics> {
    return scrape(this.sluice);
  }

  /** Waits until the proxy has no session, connection or buffered byte any more. */
  settled(): Promise<Metrics> {
    return settled(this.sluice, GAUGES);
  }

  /** Ends the proxy, whose endpoints must be closed: throws where something is left in it, or it has complained. */
  async stop(): Promise<void> {
    for (const cut of this.#cuts) cut();
    try {
      const metrics = await this.settled();
      assert.equal(metrics.sum('sluice_worker_restarts_total'), 0);
    } finally {
      assert.deepEqual(await this.sluice.stop(), { code: 0, signal: null });
    }
    assert.deepEqual(
      this.sluice.logs.filter(({ level }) => level === 'error' || level === 'fatal'),
      [],
    );
  }
}

interface JoinOptions extends ConnectOptions {
  /** `web` without. */
  readonly listener?: string;
  readonly path?: string;
  readonly scheme?: 'ws' | 'wss';
}
