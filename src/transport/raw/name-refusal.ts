import type { EventLoop } from '../../loop/event-loop.ts';
import type { Watched } from '../../loop/poller.ts';
import { UNRECOGNIZED_NAME } from '../../wire/tls/client-hello.ts';

/**
 * Closes a connection whose ClientHello, still in the socket, asks for a server name that the listener has no rule for. The
 * client gets the alert `unrecognized_name`.
 */
export function refuseName({ input, poller }: EventLoop, connection: Watched): void {
  // A close before the hello has been read would be a reset, which can overtake the alert.
  input.recv(connection.fd, 0, input.bytes.length);
  UNRECOGNIZED_NAME.copy(input.bytes);
  // If it fails, the connection has broken.
  input.send(connection.fd, 0, UNRECOGNIZED_NAME.length);
  poller.close(connection);
}
