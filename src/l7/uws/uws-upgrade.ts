import type { HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import type { HeaderList } from '../contract/http-reply.ts';
import type { UwsClient } from './uws-client.ts';
import type { UwsReply } from './reply/uws-reply.ts';

/** uWS copies the fields of what `upgrade` is given onto the socket itself, and that is where they are read. */
export interface SocketData {
  readonly client: UwsClient;
}
export type Socket = WebSocket<SocketData> & SocketData;

/** What the answer to an upgrade says of the handshake, and where uWS keeps such sockets. */
interface Upgrade {
  readonly key: string;
  readonly subprotocol: string;
  /** The one offer of extensions that uWS is to answer; empty where there is none. */
  readonly extensions: string;
  readonly context: us_socket_context_t;
}

/**
 * Makes a WebSocket of a request.
 *
 * uWS as we have it looks, when a cork ends in which it made one, at memory that it has just freed, and closes the
 * WebSocket if it finds a certain bit there (uWebSockets#1928). That memory is intact as long as nobody takes memory
 * outside of V8's heap. V8 does so to begin with any function of ours, and wherever a function lets it interrupt, to
 * install what it has compiled meanwhile or to collect garbage. So from the upgrade on nothing runs but functions of
 * the language that cannot be interrupted: `forEach`, `Reflect.apply` and `Reflect.set`, but for instance not `push`.
 *
 * @returns null where the client has gone
 */
export function makeWebSocket(
  response: HttpResponse,
  reply: UwsReply,
  client: UwsClient,
  headers: HeaderList,
  { key, subprotocol, extensions, context }: Upgrade,
): Socket | null {
  const data: SocketData = { client };
  const args = [data, key, subprotocol, extensions, context];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the response
  const make = Reflect.apply.bind(null, response.upgrade, response, args);
  reply.switchProtocols(headers, make);
  const [socket] = made;
  made[0] = null;
  return socket;
}

/** The socket that has just been made. */
const made: [Socket | null] = [null];

/** The `open` handler of every App. */
export const noteMade = Reflect.set.bind(Reflect, made, 0) as unknown as (
  socket: WebSocket<SocketData>,
) => void;

/** For one who hears that a socket has been closed: while it is being made, perhaps. */
export function forgetMade(socket: WebSocket<SocketData>): void {
  if (made[0] === socket) made[0] = null;
}
