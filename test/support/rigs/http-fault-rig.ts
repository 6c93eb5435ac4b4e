/** A proxy for plain HTTP before two endpoints that answer as a test writes, or not at all. */
import assert from 'node:assert/strict';
import { eventually } from '../deadline.ts';
import { freePorts } from '../sockets/free-port.ts';
import { RawConnection, type RawHead } from '../sockets/raw-connection.ts';
import { RawEndpoint } from '../sockets/raw-endpoint.ts';
import { WebRig } from './web-rig.ts';

/** A whole response of an endpoint. */
export const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** A client that writes bytes, and its request at the endpoint. */
export interface Meeting {
  readonly client: RawConnection;
  readonly endpoint: RawConnection;
  readonly head: RawHead;
}

export class HttpFaultRig {
  readonly first: RawEndpoint;
  readonly second: RawEndpoint;
  readonly web: WebRig;

  private constructor(first: RawEndpoint, second: RawEndpoint, web: WebRig) {
    this.first = first;
    this.second = second;
    this.web = web;
  }

  /**
   * Starts listeners `web`, `uws` and `net` (the engines), `hasty` (short timeouts), `brief` and `roomy` (max body sizes),
   * with one path for each cluster.
   */
  static async start(): Promise<HttpFaultRig> {
    const first = await RawEndpoint.listen();
    const second = await RawEndpoint.listen();
    const [nobody] = await freePorts(1);
    const to = (path: string, cluster: string): object => ({ match: { path }, cluster });
    const routes = [
      to('/one', 'one'),
      to('/two', 'two'),
      to('/gone', 'gone'),
      to('/spare', 'spare'),
      to('/unbudgeted', 'unbudgeted'),
      to('/full', 'full'),
    ];
    const pair = [first.address, second.address];
    const gone = `127.0.0.1:${nobody!}`;
    const rig = await WebRig.start({
      listeners: {
        web: { routes },
        uws: { engine: 'uws', routes },
        net: { engine: 'net', routes },
        hasty: { routes, http: { requestTimeout: '1s', idleTimeout: '1s' } },
        // The rest of a body that is refused has at most bodyTimeout to come.
        brief: { routes, http: { keepAlive: '0s', maxBodySize: '10B', bodyTimeout: '1s' } },
        roomy: { routes, http: { maxBodySize: '20003B' } },
      },
      clusters: {
        one: { endpoints: [first.address] },
        two: { endpoints: pair, balancer: 'round_robin', retries: 1, outlier: { consecutiveFailures: 1000 } },
        gone: { endpoints: [gone] },
        spare: { endpoints: [gone, first.address], balancer: 'round_robin' },
        unbudgeted: { endpoints: pair, retryBudget: { percent: 0, minPerSecond: 0 } },
        full: { endpoints: [first.address], maxConnections: 1 },
      },
    });
    return new HttpFaultRig(first, second, rig);
  }

  async send(text: string, listener = 'web'): Promise<RawConnection> {
    const client = await RawConnection.connect(this.web.address(listener));
    client.write(text);
    return client;
  }

  /** Sends a request, and waits for it at the first endpoint. */
  async meet(text: string, listener = 'web'): Promise<Meeting> {
    const client = await this.send(text, listener);
    const { connection, head } = await this.first.request();
    return { client, endpoint: connection, head };
  }

  /** Whichever of the two endpoints is asked next. */
  async asked(): Promise<{ endpoint: RawEndpoint; connection: RawConnection }> {
    const endpoint = await eventually(() => {
      const found = [this.first, this.second].find(({ connections }) => connections.waiting > 0);
      if (found === undefined) throw new Error('no endpoint is asked');
      return found;
    });
    const { connection } = await endpoint.request();
    return { endpoint, connection };
  }

  /** Forgets what waits at the endpoints. */
  async clear(): Promise<void> {
    for (const endpoint of [this.first, this.second]) {
      endpoint.clear();
      while (endpoint.connections.waiting > 0) (await endpoint.connections.next()).destroy();
    }
  }

  async stop(): Promise<void> {
    this.first.close();
    this.second.close();
    await this.web.stop();
  }
}

/** Writes the head of a request. */
export function request(method: string, path: string, ...lines: string[]): string {
  return [`${method} ${path} HTTP/1.1`, 'Host: app.example', ...lines, '', ''].join('\r\n');
}

/** Enough of a body that an endpoint is asked. */
export const UNFINISHED = request('POST', '/one', 'Content-Length: 20003') + 'x'.repeat(20_000);

/** Reads the head of a response, and asserts its status. */
export async function expectStatus(client: RawConnection, status: number): Promise<RawHead> {
  const head = await client.head();
  assert.equal(head.startLine.split(' ')[1], String(status));
  return head;
}
