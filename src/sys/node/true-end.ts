import { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { ECONNRESET, SystemCallError, errorName } from '../errno.ts';
import type { Sockets } from '../sockets/sockets.ts';
import { callsOnSockets, descriptorOf } from './node-sockets.ts';

const NOTHING = Buffer.alloc(0);
/** The error of a reset behind FIN: all bytes have arrived, so the end is regular. */
const AFTER_FIN = 'EPIPE';

/**
 * Finds out whether FIN has come or the connection has broken, after one of Node's sockets has emitted `end`. libuv (seen in
 * 1.51, `uv__stream_io`) takes POLLHUP behind a read that did not fill its buffer for the end of the stream. So a reset right
 * behind data looks like FIN, and truncated data looks whole. Remove this when libuv reads again instead.
 *
 * Node's TLS (seen in 22.23, `TLSWrap::OnStreamAfterWrite`) drops the error of a write of its own, such as that of a
 * ticket, and the next read finds an end.
 *
 * @param ended called if FIN has come; else the socket is destroyed with the error
 * @param calls null for no system calls, which finds no reset if our side has ended or still writes
 */
export function atTrueEnd(
  socket: Socket,
  ended: () => void,
  calls: Pick<Sockets, 'takeError' | 'isConnected'> | null = callsOnSockets(),
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
    // An empty write fails if the connection has broken, and has no other effect. Channels have a `write` of their own,
    // without a callback.
    Socket.prototype.write.call(socket, NOTHING, undefined, (error) => {
      if (!error) ended();
    });
  }
}
