import { messageOf } from '../core/errors.ts';
import { EPOLLIN, Epoll } from './epoll.ts';
import { nodeLoopDescriptor } from './node/node-loop.ts';
import { Sockets } from './sockets/sockets.ts';

/** Why what this room has cannot be used here, in a few words, or null where it can. */
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
