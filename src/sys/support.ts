import { messageOf } from '../core/errors.ts';
import { EPOLLIN, Epoll } from './epoll.ts';
import { nodeLoopDescriptor } from './node/node-loop.ts';
import { Sockets } from './sockets/sockets.ts';

/** Returns a short reason why system calls are unusable here; null if they are usable. */
export function unsupportedReason(): string | null {
  try {
    new Sockets();
    const epoll = new Epoll(1);
    try {
      epoll.add(nodeLoopDescriptor(), EPOLLIN, 0);
      epoll.wait(0);
    } finally {
      epoll.close();
    }
    return null;
  } catch (error) {
    return messageOf(error);
  }
}
