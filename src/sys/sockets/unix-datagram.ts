import { SystemCallError } from '../errno.ts';
import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import { AF_UNIX, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK } from '../socket-constants.ts';
import { SOCKADDR_BYTES, writeAbstract, writeUnix } from './socket-structs.ts';

/**
 * Sends one datagram to a UNIX socket without waiting. Node cannot send to UNIX datagram sockets.
 *
 * @param path path in the file system, or `@` and a name in the abstract namespace (unix(7))
 * @param bytes 1 or more
 * @throws SystemCallError if it cannot be sent; RangeError for a path that {@link writeUnix} refuses; Error
 * if system calls are not supported
 */
export function sendUnixDatagram(path: string, bytes: Uint8Array): void {
  const calls = nativeCalls();
  const address = new PinnedBuffer(SOCKADDR_BYTES);
  const length = path.startsWith('@')
    ? writeAbstract(address.bytes, path.slice(1), true)
    : writeUnix(address.bytes, path, true);
  const payload = new PinnedBuffer(bytes.length);
  payload.bytes.set(bytes);
  const fd = calls.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError('socket', calls.errno());
  try {
    if (calls.connect(fd, addressWithin(address, 0, length), length) < 0) {
      throw new SystemCallError('connect', calls.errno(), path);
    }
    const sent = payload.send(fd, 0, bytes.length);
    if (sent < 0) throw new SystemCallError('send', -sent, path);
  } finally {
    calls.close(fd);
  }
}
