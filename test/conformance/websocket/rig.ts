/**
 * One real proxy for all cases. Hostile clients use an endpoint that echoes. Hostile endpoints are raw
 * sockets behind a second route, so both sides can run at once.
 */
import { CertificateAuthority } from '../../support/certificates.ts';
import { withoutTls } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { RawEndpoint } from '../../support/sockets/raw-endpoint.ts';
import { WsEndpoint, type WsPeer } from '../../support/websocket/ws-peer.ts';
import type { ListenerName, Side } from './case.ts';
import { isSecure, LISTENERS } from './listeners.ts';

export const ECHO_PATH = '/echo';
/** Where the endpoint takes offers of permessage-deflate. */
export const INFLATING_PATH = '/inflating';
export const RAW_PATH = '/raw';

export class Rig {
  readonly raw: RawEndpoint;
  readonly #echo: WsEndpoint;
  readonly #inflating: WsEndpoint;
  readonly #web: WebRig;
  readonly #authority: CertificateAuthority;

  private constructor(
    web: WebRig,
    authority: CertificateAuthority,
    echo: WsEndpoint,
    inflating: WsEndpoint,
    raw: RawEndpoint,
  ) {
    this.#web = web;
    this.#authority = authority;
    this.#echo = echo;
    this.#inflating = inflating;
    this.raw = raw;
  }

  static async start(): Promise<Rig> {
    // Our own engines pass fragments on as they come.
    const echo = await WsEndpoint.listen({ maxFragments: 0 });
    const inflating = await WsEndpoint.listen({ maxFragments: 0, perMessageDeflate: { threshold: 0 } });
    const raw = await RawEndpoint.listen();
    const routes = [
      { match: { path: ECHO_PATH }, cluster: 'echo' },
      { match: { path: INFLATING_PATH }, cluster: 'inflating' },
      { match: { path: RAW_PATH }, cluster: 'raw' },
    ];
    const authority = new CertificateAuthority();
    const certificates = [authority.issue('localhost', ['DNS:localhost'])];
    const listeners = LISTENERS.map((name): [string, object] => {
      if (name === 'off' || name === 'shared')
        return [name, { engine: 'uws', websocket: { compression: name }, routes }];
      const tls = isSecure(name) ? { tls: { certificates } } : {};
      return [name, { engine: withoutTls(name), ...tls, routes }];
    });
    const web = await WebRig.start({
      log: { access: false },
      listeners: Object.fromEntries(listeners),
      clusters: {
        echo: { endpoints: [echo.address] },
        inflating: { endpoints: [inflating.address] },
        raw: { masking: 'random', endpoints: [raw.address] },
      },
    });
    return new Rig(web, authority, echo, inflating, raw);
  }

  /** The last lines of the proxy's log, which say whether a worker has failed. */
  get lastLines(): string {
    return JSON.stringify(this.#web.sluice.logs.slice(-3));
  }

  /** The URL of a path. */
  url(listener: ListenerName, path: string): string {
    return `${isSecure(listener) ? 'wss' : 'ws'}://${this.#web.address(listener)}${path}`;
  }

  connect(listener: ListenerName): Promise<RawConnection> {
    const address = this.#web.address(listener);
    return isSecure(listener) ? RawConnection.connectTls(address) : RawConnection.connect(address);
  }

  /** The endpoint's end of the session that has just been opened; it echoes from now on. */
  async echoSession(isInflating: boolean): Promise<WsPeer> {
    const peer = await (isInflating ? this.#inflating : this.#echo).sessions.next();
    peer.socket.on('message', (data, isBinary) => peer.socket.send(data, { binary: isBinary }));
    return peer;
  }

  /** Forgets what a case of a side has left behind that went wrong. */
  async clear(side: Side): Promise<void> {
    if (side === 'endpoint') {
      while (this.raw.connections.waiting > 0) (await this.raw.connections.next()).destroy();
      return;
    }
    for (const { sessions } of [this.#echo, this.#inflating])
      while (sessions.waiting > 0) (await sessions.next()).socket.terminate();
  }

  /** Ends the proxy; throws where a session is left in it or it has complained. */
  async stop(): Promise<void> {
    this.#echo.close();
    this.#inflating.close();
    this.raw.close();
    await this.#web.stop();
    this.#authority.remove();
  }
}
