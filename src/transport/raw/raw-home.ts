import type { EventLoop } from '../../loop/event-loop.ts';
import { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import { Inbox } from './inbox.ts';
import { PendingReads } from './pending-reads.ts';

/** Max bytes of a write that go to the kernel by way of the scratch memory. */
export const SCRATCH_BYTES = 64 * 1024;

/** What the channels of one thread share. */
export class RawHome {
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
