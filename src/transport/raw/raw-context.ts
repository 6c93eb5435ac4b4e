import type { EventLoop } from '../../loop/event-loop.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import { Inbox } from './inbox.ts';
import { PendingReads } from './pending-reads.ts';

/** Max bytes of a write that go to the kernel through the scratch memory. */
export const SCRATCH_BYTES = 64 * 1024;

/** State shared by the channels of one thread. */
export class RawContext {
  readonly loop: EventLoop;
  readonly inbox: Inbox;
  readonly pending: PendingReads;
  /** Scratch memory for the bytes of one write. */
  readonly scratch = new PinnedBuffer(SCRATCH_BYTES);

  constructor(loop: EventLoop) {
    this.loop = loop;
    this.inbox = new Inbox(loop);
    this.pending = new PendingReads(loop);
  }
}
