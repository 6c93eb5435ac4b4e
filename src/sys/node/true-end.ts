import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ECONNRESET, SystemCallError, errorName } from '../errno.ts';
import type { Sockets } from '../sockets/sockets.ts';
import { socketCalls, descriptorOf } from './node-sockets.ts';

const NOTHING = Buffer.alloc(0);
/** Error of a reset after FIN: all bytes arrived, so the end is regular. */
const AFTER_FIN = 'EPIPE';

/**
 * Distinguishes FIN from a broken connection after one of Node's sockets emitted `end`. libuv (seen in 1.51,
 * `uv__stream_io`) takes POLLHUP for the end of the stream if the last read did not fill its buffer. So a
 * reset right after data looks like FIN, and truncated data looks whole. Remove this when libuv reads again
 * instead.
 *
 * Node's TLS (seen in 22.23, `TLSWrap::OnStreamAfterWrite`) drops the error of its internal writes, such as a
 * ticket's, and the next read finds an end.
 *
 * @param ended called after FIN; otherwise the socket is destroyed with the error
 * @param calls null without system calls, which misses resets if our side has ended or is still writing
 */
export function atTrueEnd(
  socket: Socket,
  ended: () => void,
  calls: Pick<Sockets, 'takeError' | 'isConnected'> | null = socketCalls(),
): void {
  const fd = descriptorOf(socket);
  if (calls !== null && fd !== undefined) {
    let errno = calls.takeError(fd);
    const hidesErrors = socket instanceof TLSSocket && !socket.writableEnded;
    if (errno === 0 && hidesErrors && !calls.isConnected(fd)) errno = ECONNRESET;
    if (errno === 0 || errorName(errno) === AFTER_FIN) ended();
    else socket.destroy(new SystemCallError('read', errno));
  } else if (!socket.allowHalfOpen || socket.writableEnded || socket.writableLength > 0) {
    ended();
  } else {
    // An empty write fails if the connection is broken, and has no other effect. Channels override `write`
    // without a callback parameter.
    Socket.prototype.write.call(socket, NOTHING, undefined, (error) => {
      if (!error) ended();
    });
  }
}
