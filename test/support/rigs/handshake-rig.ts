/** A proxy before a WebSocket endpoint that answers as a test writes. */
import type { EngineName } from '../engines.ts';
import { RawConnection, switchingProtocols, type RawHead } from '../sockets/raw-connection.ts';
import { RawEndpoint } from '../sockets/raw-endpoint.ts';
import { WebRig } from './web-rig.ts';

/** A handshake that both sides have done. */
interface Shaken {
  /** The request as the endpoint got it. */
  readonly asked: RawHead;
  /** The response as the client got it. */
  readonly answered: RawHead;
  readonly client: RawConnection;
  readonly upstream: RawConnection;
}

export class HandshakeRig {
  readonly endpoint: RawEndpoint;
  readonly web: WebRig;

  private constructor(endpoint: RawEndpoint, web: WebRig) {
    this.endpoint = endpoint;
    this.web = web;
  }

  /** Starts listeners `web` (WebSockets only), `mixed` (a route by subprotocol) and `trusting` (trusted proxies). */
  static async start(engine: 'auto' | EngineName = 'auto'): Promise<HandshakeRig> {
    const endpoint = await RawEndpoint.listen();
    const routes = [
      { match: { pathPrefix: '/chat' }, cluster: 'raw', upgrade: 'only', rewrite: { stripPrefix: '/chat' } },
      { match: {}, cluster: 'raw', upgrade: 'only' },
    ];
    const rig = await WebRig.start({
      listeners: {
        web: { engine, routes },
        mixed: {
          engine,
          routes: [{ match: { subprotocol: 'urn:a/b' }, cluster: 'raw' }],
        },
        trusting: { engine, routes, trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] },
      },
      clusters: { raw: { retries: 0, endpoints: [endpoint.address] } },
    });
    return new HandshakeRig(endpoint, rig);
  }

  /** Sends a request, answers it at the endpoint, and returns both heads. */
  async shake(
    request: string | Buffer,
    { listener = 'web', answer = [] }: { listener?: string; answer?: readonly string[] } = {},
  ): Promise<Shaken> {
    const client = await RawConnection.connect(this.web.address(listener));
    client.write(request);
    const { connection: upstream, head: asked } = await this.endpoint.request();
    upstream.write(switchingProtocols(asked, answer));
    return { asked, answered: await client.head(), client, upstream };
  }

  async stop(): Promise<void> {
    this.endpoint.close();
    await this.web.stop();
  }
}
