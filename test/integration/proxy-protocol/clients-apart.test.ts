/** A connection that has begun with one client's PROXY header carries nothing of another client. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { after, afterEach, before, describe, it } from 'node:test';
import { CertificateAuthority } from '../../support/certificates.ts';
import { eventually, within } from '../../support/deadline.ts';
import { ENGINES, isOwnEngine, type EngineName } from '../../support/engines.ts';
import { WebRig } from '../../support/rigs/web-rig.ts';
import { ProxiedEndpoint, type ToldConnection } from '../../support/sockets/proxied-endpoint.ts';
import { WsPeer } from '../../support/websocket/ws-peer.ts';
import { repeatable } from '../../support/random.ts';

const CLIENTS = 8;
const TURNS = 40;

/** Facts that a client learns by a request. */
interface Answer extends ToldConnection {
  /** The client's own end as the endpoint should have been told. */
  readonly expected: string;
}

/** A client with its own address and a kept connection. */
class Client {
  readonly address: string;
  readonly #engine: EngineName;
  readonly #at: string;
  #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  constructor(number: number, engine: EngineName, at: string) {
    this.address = `127.0.0.${number + 10}`;
    this.#engine = engine;
    this.#at = at;
  }

  ask(path: string, body = ''): Promise<Answer> {
    const { hostname: host, port } = new URL(`http://${this.#at}`);
    const options = { host, port, path, localAddress: this.address, agent: this.#agent };
    const answered = new Promise<Answer>((settle, fail) => {
      const asking = request({ ...options, method: body === '' ? 'GET' : 'POST' }, (response) => {
        const { localPort = 0 } = response.socket;
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => (text += part));
        response.once('end', () => {
          if (response.statusCode !== 200) fail(new Error(`${response.statusCode}: ${text}`));
          else settle({ ...(JSON.parse(text) as ToldConnection), expected: this.#endOf(localPort, port) });
        });
      });
      asking.once('error', fail);
      asking.end(body);
    });
    return within('the answer', answered);
  }

  /** A session of the client's. Returns what its endpoint was told. */
  async join(path: string): Promise<Answer> {
    const { port } = new URL(`http://${this.#at}`);
    const peer = await WsPeer.connect(`ws://${this.#at}${path}`, { localAddress: this.address });
    const { data } = await peer.messages.next();
    const told = JSON.parse(data.toString()) as ToldConnection;
    const { localPort = 0 } = (peer.socket as unknown as { _socket: { localPort?: number } })._socket;
    peer.socket.terminate();
    return { ...told, expected: this.#endOf(localPort, port) };
  }

  /** Closes the client's connection. */
  leave(): void {
    this.#agent.destroy();
    this.#agent = new Agent({ keepAlive: true, maxSockets: 1 });
  }

  /** uWebSockets.js does not tell the client's port. */
  #endOf(localPort: number, port: string): string {
    return `${this.address}:${isOwnEngine(this.#engine) ? localPort : 0} 127.0.0.1:${port}`;
  }
}

for (const engine of ENGINES) {
  describe(`clients of ${engine} behind PROXY headers`, { timeout: 300_000 }, () => {
    const authority = new CertificateAuthority();
    let plain: ProxiedEndpoint;
    let secure: ProxiedEndpoint;
    let shared: ProxiedEndpoint;
    let rig: WebRig;
    const clients: Client[] = [];

    before(async () => {
      const { cert, key } = authority.issue('endpoint', ['DNS:endpoint.internal']);
      plain = await ProxiedEndpoint.listen();
      secure = await ProxiedEndpoint.listen({ cert: readFileSync(cert), key: readFileSync(key) });
      const routes = ['v1', 'v2', 'secure', 'off'].map((cluster) => ({
        match: { pathPrefix: `/${cluster}` },
        cluster,
      }));
      const tls = { serverName: 'endpoint.internal', ca: authority.file };
      shared = await ProxiedEndpoint.listen();
      rig = await WebRig.start({
        listeners: { web: { engine, routes } },
        clusters: {
          v1: { endpoints: [plain.address], proxyProtocol: 'v1' },
          v2: { endpoints: [plain.address], proxyProtocol: 'v2' },
          secure: { endpoints: [secure.address], proxyProtocol: 'v2', tls },
          off: { endpoints: [shared.address] },
        },
      });
    });
    after(async () => {
      for (const endpoint of [plain, secure, shared]) endpoint.close();
      await rig.stop();
      authority.remove();
    });
    afterEach(() => {
      for (const client of clients.splice(0)) client.leave();
    });

    function client(number: number): Client {
      const one = new Client(number, engine, rig.address('web'));
      clients.push(one);
      return one;
    }

    it(
      'are never confused, whatever they do in any order',
      repeatable(async (random) => {
        const paths = ['/v1', '/v2', '/secure', '/off'];
        const usedBy = new Map<string, string>();
        const talk = async (one: Client): Promise<void> => {
          for (let turn = 0; turn < TURNS; turn++) {
            const path = paths[Math.floor(random() * paths.length)]!;
            const dice = random();
            if (dice < 0.1) one.leave();
            const answer =
              dice > 0.9 ? await one.join(path) : await one.ask(path, dice > 0.5 ? 'x'.repeat(1000) : '');
            if (path === '/off') {
              assert.equal(answer.told, 'none');
              continue;
            }
            assert.equal(answer.told, answer.expected);
            // A connection to an endpoint, and the client whose it is.
            const connection = `${path === '/secure' ? 'secure' : 'plain'} ${answer.connection}`;
            assert.equal(usedBy.get(connection) ?? answer.expected, answer.expected);
            usedBy.set(connection, answer.expected);
          }
        };
        await Promise.all(Array.from({ length: CLIENTS }, (_, number) => talk(client(number))));
        assert.ok(usedBy.size >= CLIENTS);
      }),
    );

    it('keep their connections to endpoints as long as they keep their own', async () => {
      const [first, second] = [client(0), client(1)];
      for (const path of ['/v1', '/secure']) {
        const { connection } = await first.ask(path);
        assert.notEqual((await second.ask(path)).connection, connection);
        const again = await first.ask(path, 'body');
        assert.deepEqual([again.connection, again.requests], [connection, 2]);
      }
      first.leave();
      second.leave();
      await eventually(() => assert.deepEqual([plain.open, secure.open], [0, 0]));
    });
  });
}
