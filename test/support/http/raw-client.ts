/** Clients that write raw requests, and the same requests at a raw endpoint. */
import { RawConnection, type RawHead } from '../sockets/raw-connection.ts';
import type { RawEndpoint } from '../sockets/raw-endpoint.ts';

/** A request on both sides of the proxy. */
interface Meeting {
  readonly client: RawConnection;
  readonly endpoint: RawConnection;
  readonly head: RawHead;
}

interface RawClient {
  /** Opens a connection to the proxy and writes a request; forgets what the endpoint has got before. */
  readonly send: (request: string) => Promise<RawConnection>;
  /** Sends a request, and waits for it at the endpoint. */
  readonly meet: (request: string) => Promise<Meeting>;
}

/** Makes clients of one listener. The endpoint and the address are asked for when they are used. */
export function rawClient(raw: () => RawEndpoint, address: () => string): RawClient {
  const send = async (request: string): Promise<RawConnection> => {
    raw().clear();
    const client = await RawConnection.connect(address());
    client.write(request);
    return client;
  };
  const meet = async (request: string): Promise<Meeting> => {
    const client = await send(request);
    const { connection, head } = await raw().request();
    return { client, endpoint: connection, head };
  };
  return { send, meet };
}

/** Writes the head of a request for `/x` with more header lines. */
export function request(method: string, ...lines: string[]): string {
  return [`${method} /x HTTP/1.1`, 'Host: app.example', ...lines, '', ''].join('\r\n');
}

/** Writes the head of a GET for `/x` with more header lines. */
export function get(...lines: string[]): string {
  return request('GET', ...lines);
}
