/** A sluice before one WebSocket endpoint and one TCP endpoint, whose configuration a test changes. */
import assert from 'node:assert/strict';
import { TcpEndpoint, TcpPeer } from '../sockets/tcp-peer.ts';
import { WsEndpoint, WsPeer } from '../websocket/ws-peer.ts';
import { ReloadRig } from './reload-rig.ts';

interface JoinedSession {
  readonly client: WsPeer;
  readonly server: WsPeer;
}

const local = '127.0.0.1:0';

/** No member needs `this`, so that tests can take members out. */
export class ChangeStage {
  #endpoint: WsEndpoint | null = null;
  #echo: TcpEndpoint | null = null;
  readonly #rigs: ReloadRig[] = [];

  /** Routes of the listener `web`. */
  readonly routes = [{ name: 'app', match: { path: '/app' }, cluster: 'app' }];

  readonly open = async (): Promise<void> => {
    this.#endpoint = await WsEndpoint.listen();
    this.#echo = await TcpEndpoint.echo();
  };

  readonly close = (): void => {
    this.#endpoint?.close();
    this.#echo?.close();
  };

  /** Ends what {@link start} has started. */
  readonly clear = (): void => {
    for (const { sluice } of this.#rigs.splice(0)) sluice.kill('SIGKILL');
  };

  get endpoint(): WsEndpoint {
    assert.ok(this.#endpoint !== null);
    return this.#endpoint;
  }

  get echo(): TcpEndpoint {
    assert.ok(this.#echo !== null);
    return this.#echo;
  }

  readonly app = (): object => ({ name: 'app', endpoints: [{ address: this.endpoint.address }] });

  readonly echoCluster = (): object => ({ name: 'echo', endpoints: [{ address: this.echo.address }] });

  readonly web = (changes: object = {}): object => ({
    name: 'web',
    mode: 'l7',
    address: local,
    routes: this.routes,
    ...changes,
  });

  readonly tcp = (changes: object = {}): object => ({
    name: 'tcp',
    mode: 'l4',
    address: local,
    cluster: 'echo',
    ...changes,
  });

  /** The configuration that it begins with. */
  readonly base = (): { listeners: object[]; clusters: object[] } => ({
    listeners: [this.web(), this.tcp()],
    clusters: [this.app(), this.echoCluster()],
  });

  readonly start = async (config: object = this.base(), args: readonly string[] = []): Promise<ReloadRig> => {
    const rig = await ReloadRig.start(config, args);
    this.#rigs.push(rig);
    return rig;
  };

  readonly session = async (rig: ReloadRig, path = '/app', to = this.endpoint): Promise<JoinedSession> => {
    const client = await WsPeer.connect(`ws://${await rig.address('web')}${path}`);
    return { client, server: await to.sessions.next() };
  };

  readonly tunnel = async (rig: ReloadRig): Promise<TcpPeer> => {
    const client = await TcpPeer.connect(await rig.address('tcp'));
    client.read().send('1');
    await client.receivesText('1');
    return client;
  };

  readonly alive = async ({ client, server }: JoinedSession): Promise<void> => {
    client.socket.send('still there?');
    assert.equal((await server.messages.next()).data.toString(), 'still there?');
  };
}
