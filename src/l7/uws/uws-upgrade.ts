import type { HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import type { HeaderList } from '../contract/http-reply.ts';
import type { UwsReply } from './reply/uws-reply.ts';
import type { UwsClient } from './uws-client.ts';

/** A uWS WebSocket. */
export interface Socket extends WebSocket<object> {
  /** Set by {@link createWebSocket} after the WebSocket was created. */
  client: UwsClient;
}

/** Arguments of uWS's `upgrade`. */
interface UpgradeArguments {
  readonly key: string;
  readonly subprotocol: string;
  /** The extension offer for uWS to answer, empty for none. */
  readonly extensions: string;
  readonly context: us_socket_context_t;
}

/**
 * Creates a WebSocket from a request.
 *
 * At the end of a cork that created a WebSocket, uWS (20.66 to 20.68) reads memory that it has just freed. If
 * a certain bit is set there, uWS closes the WebSocket (uWebSockets#1928). The memory stays intact as long as
 * nothing allocates outside V8's heap.
 *
 * V8 allocates there when it enters a JavaScript function, and when a function lets V8 interrupt it to
 * install compiled code or to collect garbage. So from the upgrade to the end of the cork, only
 * uninterruptible built-in functions run: `forEach`, `Reflect.apply` and `Reflect.set`, but not `push`. V8
 * may also allocate when a property is added. uWS copies the properties of user data to the socket before it
 * ends the cork, so the user data has no properties.
 *
 * Needed until uWebSockets 20.79 (pull request 1929). No build of it on npm loads on Debian 12 or Ubuntu
 * 22.04.
 *
 * @returns null if the client has disconnected
 */
export function createWebSocket(
  response: HttpResponse,
  reply: UwsReply,
  client: UwsClient,
  headers: HeaderList,
  { key, subprotocol, extensions, context }: UpgradeArguments,
): Socket | null {
  const args = [NO_USER_DATA, key, subprotocol, extensions, context];
  // eslint-disable-next-line @typescript-eslint/unbound-method -- it is called with the response
  const make = Reflect.apply.bind(null, response.upgrade, response, args);
  reply.switchProtocols(headers, make);
  const [socket] = created;
  created[0] = null;
  if (socket !== null) socket.client = client;
  return socket;
}

const NO_USER_DATA = {};
/** The socket that uWS has just created. */
const created: [Socket | null] = [null];

/** The `open` handler of every App. */
export const rememberCreated = Reflect.set.bind(Reflect, created, 0) as unknown as (
  socket: WebSocket<object>,
) => void;

/**
 * Must be called when a socket has closed. Returns true if it was still being created, so that it has no
 * client.
 */
export function forgetCreated(socket: WebSocket<object>): boolean {
  if (created[0] !== socket) return false;
  created[0] = null;
  return true;
}
