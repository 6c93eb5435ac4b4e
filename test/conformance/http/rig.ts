/** Proxies in front of one kind of endpoint: sluice by each engine, and nginx where it is installed. */
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { Nginx, nginxVersion } from '../../support/processes/nginx.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { RawConnection } from '../../support/sockets/raw-connection.ts';
import { HOST, request } from './building.ts';
import { Recorder } from './recorder.ts';

export const MAX_BODY = 64 * 1024;
const NGINXES = 4;
/** The limit of uWebSockets.js, which has no setting for it. */
const MAX_HEADER_SIZE = '16KiB';

/** A proxy, its endpoint, and a connection through both that is in order. */
export class Proxy {
  readonly address: string;
  readonly endpoint: Recorder;
  /** Null for nginx. */
  readonly engine: EngineName | null;
  #asked = 0;

  constructor(address: string, endpoint: Recorder, engine: EngineName | null) {
    this.address = address;
    this.endpoint = endpoint;
    this.engine = engine;
  }

  /**
   * Asks on a connection of its own, and gets its own answer: what was sent before has been read by then, and has
   * spoilt nothing for others.
   */
  async witness(): Promise<void> {
    const witness = await RawConnection.connect(this.address);
    await ask(witness, `/witness/${this.#asked++}`);
    witness.destroy();
    this.endpoint.requests = this.endpoint.requests.filter((text) => !text.startsWith('GET /witness/'));
  }

  close(): void {
    this.endpoint.close();
  }
}

export class Rig {
  readonly sluice: ReadonlyMap<EngineName, Proxy>;
  /** Several, so that it takes less time; none where it is not installed. */
  readonly nginx: readonly Proxy[];
  readonly #end: () => Promise<void>;

  private constructor(
    sluice: ReadonlyMap<EngineName, Proxy>,
    nginx: readonly Proxy[],
    end: () => Promise<void>,
  ) {
    this.sluice = sluice;
    this.nginx = nginx;
    this.#end = end;
  }

  static async start(): Promise<Rig> {
    const endpoint = await Recorder.listen();
    const web = await WebRig.start({
      log: { access: false },
      listeners: Object.fromEntries(ENGINES.map((engine) => [engine, listenerOf(engine)])),
      clusters: { app: { endpoints: [`127.0.0.1:${endpoint.port}`] } },
    });
    const sluice = new Map(
      ENGINES.map((engine) => [engine, new Proxy(web.address(engine), endpoint, engine)]),
    );
    const nginx =
      nginxVersion() === null ? [] : await Promise.all(Array.from({ length: NGINXES }, startNginx));
    return new Rig(
      sluice,
      nginx.map(({ proxy }) => proxy),
      async () => {
        endpoint.close();
        for (const { proxy } of nginx) proxy.close();
        await Promise.all(nginx.map(({ process }) => process.stop()));
        await web.stop();
      },
    );
  }

  /** Throws where the proxy has complained, or has something left. */
  stop(): Promise<void> {
    return this.#end();
  }
}

function listenerOf(engine: EngineName): object {
  const limits = isOwnEngine(engine) ? { maxHeaderSize: MAX_HEADER_SIZE } : {};
  return { engine, http: { maxBodySize: `${MAX_BODY}B`, ...limits } };
}

async function startNginx(): Promise<{ process: Nginx; proxy: Proxy }> {
  const endpoint = await Recorder.listen();
  const process = await Nginx.start(
    (listen) => `upstream app { server 127.0.0.1:${endpoint.port}; keepalive 16; }
client_max_body_size ${MAX_BODY};
server {
  listen ${listen};
  location / {
    proxy_pass http://app;
    proxy_http_version 1.1;
    proxy_request_buffering off;
    proxy_set_header Connection "";
    proxy_set_header Host $http_host;
  }
}`,
  );
  return { process, proxy: new Proxy(process.address, endpoint, null) };
}

/** Sends a request, and reads the answer, which must be its own. */
async function ask(connection: RawConnection, path: string): Promise<void> {
  const line = `GET ${path} HTTP/1.1`;
  connection.write(request(line));
  const { startLine, headers } = await connection.head();
  const length = headers.find(([name]) => name.toLowerCase() === 'content-length')?.[1];
  const body = (await connection.bytes(Number(length ?? 0))).toString('latin1');
  if (startLine !== 'HTTP/1.1 200 OK' || body !== line) {
    throw new Error(`${line} for ${HOST} has got ${startLine}: ${body}`);
  }
}
