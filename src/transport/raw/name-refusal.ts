import type { EventLoop } from '../../loop/event-loop.ts';
import type { Watched } from '../../loop/poller.ts';
import { UNRECOGNIZED_NAME } from '../../wire/tls/client-hello.ts';

/**
 * Refuses a connection whose ClientHello, still in the socket, names a server without a rule of the listener.
 * The client gets the alert `unrecognized_name`.
 */
export function refuseName({ input, poller }: EventLoop, connection: Watched): void {
  // Closing before the hello is read would send a reset, which can overtake the alert.
  input.recv(connection.fd, 0, input.bytes.length);
  UNRECOGNIZED_NAME.copy(input.bytes);
  // A failed send means the connection has broken.
  input.send(connection.fd, 0, UNRECOGNIZED_NAME.length);
  poller.close(connection);
}
