/** Proxies in front of one kind of endpoint: sluice by each engine, and nginx where it is installed. */
import { CertificateAuthority } from '../../support/certificates.ts';
import {
  ENGINES,
  TLS_ENGINES,
  isOwnEngine,
  usesTls,
  withoutTls,
  type EngineName,
  type TlsEngine,
} from '../../support/engines.ts';
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
  readonly engine: EngineName | TlsEngine | null;
  #asked = 0;

  constructor(address: string, endpoint: Recorder, engine: EngineName | TlsEngine | null) {
    this.address = address;
    this.endpoint = endpoint;
    this.engine = engine;
  }

  get usesTls(): boolean {
    return this.engine !== null && usesTls(this.engine);
  }

  connect(): Promise<RawConnection> {
    return this.usesTls ? RawConnection.connectTls(this.address) : RawConnection.connect(this.address);
  }

  /**
   * Sends a request on a new connection and expects its own answer. Earlier bytes are read by then, and must
   * not have spoilt anything for other clients.
   */
  async witness(): Promise<void> {
    const witness = await this.connect();
    await ask(witness, `/witness/${this.#asked++}`);
    witness.destroy();
    this.endpoint.requests = this.endpoint.requests.filter((text) => !text.startsWith('GET /witness/'));
  }

  close(): void {
    this.endpoint.close();
  }
}

export class Rig {
  readonly sluice: ReadonlyMap<EngineName | TlsEngine, Proxy>;
  /** Several, so that it takes less time; none where it is not installed. */
  readonly nginx: readonly Proxy[];
  readonly #end: () => Promise<void>;

  private constructor(
    sluice: ReadonlyMap<EngineName | TlsEngine, Proxy>,
    nginx: readonly Proxy[],
    end: () => Promise<void>,
  ) {
    this.sluice = sluice;
    this.nginx = nginx;
    this.#end = end;
  }

  static async start(): Promise<Rig> {
    const endpoint = await Recorder.listen();
    const authority = new CertificateAuthority();
    const certificates = [authority.issue('localhost', ['DNS:localhost'])];
    const engines = [...ENGINES, ...TLS_ENGINES];
    const web = await WebRig.start({
      log: { access: false },
      listeners: Object.fromEntries(engines.map((engine) => [engine, listenerOf(engine, certificates)])),
      clusters: { app: { endpoints: [`127.0.0.1:${endpoint.port}`] } },
    });
    const sluice = new Map(
      engines.map((engine) => [engine, new Proxy(web.address(engine), endpoint, engine)]),
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
        authority.remove();
      },
    );
  }

  /** Throws where the proxy has complained, or has something left. */
  stop(): Promise<void> {
    return this.#end();
  }
}

function listenerOf(engine: EngineName | TlsEngine, certificates: readonly object[]): object {
  const name = withoutTls(engine);
  const limits = isOwnEngine(name) ? { maxHeaderSize: MAX_HEADER_SIZE } : {};
  const tls = usesTls(engine) ? { tls: { certificates } } : {};
  return { engine: name, http: { maxBodySize: `${MAX_BODY}B`, ...limits }, ...tls };
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
