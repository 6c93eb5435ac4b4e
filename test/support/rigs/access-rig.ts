/** A listener of each engine whose clients must show who they are, and an endpoint that says what reaches it. */
import { createServer } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { ENGINES, type EngineName } from '../engines.ts';
import { ask, type Answer, type Question } from '../http/http-endpoint.ts';
import { WsEndpoint, WsPeer, type ConnectOptions } from '../websocket/ws-peer.ts';
import { WebRig } from './web-rig.ts';

export class AccessRig {
  readonly rig: WebRig;
  readonly #endpoint: WsEndpoint;

  private constructor(rig: WebRig, endpoint: WsEndpoint) {
    this.rig = rig;
    this.#endpoint = endpoint;
  }

  /** @param settings for every listener, beside its address, engine and routes */
  static async start(settings: object): Promise<AccessRig> {
    const server = createServer((request, response) => {
      response.setHeader('Content-Type', 'application/json');
      response.end(JSON.stringify(request.headers));
    });
    const endpoint = await WsEndpoint.listen({}, server);
    const listeners = Object.fromEntries(
      ENGINES.map((engine) => [engine, { engine, ...compressionOf(engine), ...settings }]),
    );
    const rig = await WebRig.start({
      listeners,
      clusters: { app: { endpoints: [endpoint.address] } },
      workers: { l7: 2 },
    });
    return new AccessRig(rig, endpoint);
  }

  /** Sends a plain request. */
  ask(
    engine: EngineName,
    { path = '/', ...question }: Question & { readonly path?: string } = {},
  ): Promise<Answer> {
    return ask(`http://${this.rig.address(engine)}${path}`, question);
  }

  /** Opens a WebSocket. Returns the headers that the endpoint gets, and the client. */
  async join(
    engine: EngineName,
    options: ConnectOptions & { readonly path?: string } = {},
  ): Promise<{ readonly client: WsPeer; readonly headers: IncomingHttpHeaders }> {
    const { path = '/', ...others } = options;
    // A client that is refused must not wait for a session: it would take the next client's.
    const client = await WsPeer.connect(`ws://${this.rig.address(engine)}${path}`, others);
    const endpoint = await this.#endpoint.session();
    return { client, headers: endpoint.headers };
  }

  async stop(): Promise<void> {
    this.#endpoint.close();
    await this.rig.stop();
  }
}

function compressionOf(engine: EngineName): object {
  return engine === 'uws' ? { websocket: { compression: 'shared' } } : {};
}
