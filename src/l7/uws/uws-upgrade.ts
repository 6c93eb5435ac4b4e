import type { HttpResponse, us_socket_context_t, WebSocket } from 'uWebSockets.js';
import type { HeaderList } from '../contract/http-reply.ts';
import type { UwsReply } from './reply/uws-reply.ts';
import type { UwsClient } from './uws-client.ts';

/** A WebSocket of uWS. */
export interface Socket extends WebSocket<object> {
  /** Set by {@link makeWebSocket} when the WebSocket has been made. */
  client: UwsClient;
}

/** Arguments of uWS's `upgrade`. */
interface UpgradeArguments {
  readonly key: string;
  readonly subprotocol: string;
  /** The offer of an extension that uWS answers; empty for none. */
  readonly extensions: string;
  readonly context: us_socket_context_t;
}

/**
 * Makes a WebSocket of a request.
 *
 * When a cork ends in which uWS (20.66 to 20.68) has made a WebSocket, uWS reads memory that it has just freed, and
 * closes the WebSocket if a certain bit is set there (uWebSockets#1928). The memory stays intact as long as nothing
 * allocates outside of V8's heap. V8 allocates there when it enters a function of ours, and when a function lets V8
 * interrupt it, to install compiled code or to collect garbage. So from the upgrade to the end of the cork only
 * built-in functions run that cannot be interrupted: `forEach`, `Reflect.apply` and `Reflect.set`, but not `push`. V8
 * may allocate also when a property is added: uWS copies the properties of user data onto the socket before it ends the
 * cork, so it is given none. This can go with uWebSockets 20.79 (pull request 1929), of which no build on npm loads on
 * Debian 12 or Ubuntu 22.04.
 *
 * @returns null if the client has gone
 */
export function makeWebSocket(
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
  const [socket] = made;
  made[0] = null;
  if (socket !== null) socket.client = client;
  return socket;
}

const NO_USER_DATA = {};
/** The socket that uWS has just made. */
const made: [Socket | null] = [null];

/** The `open` handler of every App. */
export const noteMade = Reflect.set.bind(Reflect, made, 0) as unknown as (socket: WebSocket<object>) => void;

/** To be called when a socket has closed. Returns whether it was still being made: it has no client then. */
export function forgetMade(socket: WebSocket<object>): boolean {
  if (made[0] !== socket) return false;
  made[0] = null;
  return true;
}
