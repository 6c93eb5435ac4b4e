import type { Socket } from 'node:net';
import type { LiveMember, LiveSet } from '../../core/collections/live-set.ts';
import { Timed, type TimerWheel } from '../../core/timing/timer-wheel.ts';
import { ipOfSocket } from '../../wire/ip-address.ts';
import type { ArrivalOwner, EntryFacts, EntryTerms, Refusal } from '../entry.ts';
import { FirstBytesInspector } from '../first-bytes-inspector.ts';

/** State shared by the arrivals of one acceptor. */
export interface NetArrivalContext {
  readonly wheel: TimerWheel;
  readonly owner: ArrivalOwner<Socket>;
  /** Gives Node a turn soon. Null if the thread runs Node's own loop. */
  readonly yieldToNode: (() => void) | null;
  /** Arrivals waiting for bytes. */
  readonly waiting: LiveSet<NetArrival>;
}

const NOTHING = Buffer.alloc(0);

/**
 * A connection in its entry stages. Node's sockets cannot peek, so bytes are read and put back. They are few:
 * an inspector decides within 20 KiB, and Node reads 64 KiB at a time.
 */
export class NetArrival extends Timed implements LiveMember {
  liveIndex = -1;
  readonly #context: NetArrivalContext;
  readonly #socket: Socket;
  readonly #inspector: FirstBytesInspector;
  readonly #peer: string;
  readonly #since: number;
  /** Bytes read but not consumed. */
  #bytes: Buffer = NOTHING;

  constructor(context: NetArrivalContext, socket: Socket, terms: EntryTerms) {
    super();
    this.#context = context;
    this.#socket = socket;
    this.#peer = ipOfSocket(socket.remoteAddress ?? '');
    this.#inspector = new FirstBytesInspector(terms, this.#peer);
    this.#since = context.wheel.now;
  }

  /**
   * Starts the stages and their deadline. The first look is at no bytes: some connections enter or fail at
   * once.
   */
  start(timeoutMs: number): void {
    const { wheel, waiting } = this.#context;
    waiting.add(this);
    wheel.arm(this, timeoutMs);
    this.#socket
      .on('error', this.#onEnd)
      .on('end', this.#onEnd)
      .on('close', this.#onEnd)
      .on('data', this.#onData);
    // Node does not know the address of a client that is gone.
    if (this.#peer === '') this.#reject(this.#inspector.ended());
    else this.#judge();
    if (this.liveIndex >= 0) this.#socket.resume();
  }

  /** Closes the connection because its listener closes. */
  drop(): void {
    this.#lose(null);
  }

  override expire(): void {
    this.#reject(this.#inspector.timedOut());
  }

  readonly #onData = (bytes: Buffer): void => {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    this.#judge();
  };

  /** Handles FIN, a reset, or a socket that had closed before. */
  readonly #onEnd = (): void => {
    if (this.liveIndex >= 0) this.#reject(this.#inspector.ended());
  };

  #judge(): void {
    try {
      for (;;) {
        const verdict = this.#inspector.look(this.#bytes, 0, this.#bytes.length);
        if (verdict === 'more') return;
        if ('facts' in verdict) {
          this.#enter(verdict.facts);
          return;
        }
        if ('reason' in verdict) {
          this.#reject(verdict);
          return;
        }
        this.#bytes = this.#bytes.subarray(verdict.consume);
        if (verdict.answer !== null) this.#socket.write(verdict.answer);
      }
    } catch (error) {
      this.#lose(error);
    }
  }

  #enter(facts: EntryFacts): void {
    const socket = this.#socket;
    this.#stopWaiting();
    socket.pause();
    if (this.#bytes.length > 0) socket.unshift(this.#bytes);
    this.#context.owner.entered(socket, facts, this.#since);
    // The owner has its own `error` listener by now. Without one, an error would end the thread.
    socket.off('error', this.#onEnd);
  }

  #reject(refusal: Refusal): void {
    const { owner, wheel } = this.#context;
    this.#close();
    owner.rejected({ ...refusal, peer: this.#peer, seconds: (wheel.now - this.#since) / 1000 });
  }

  /** @param fault see `ArrivalOwner.lost` */
  #lose(fault: unknown): void {
    // The code that destroyed the socket has counted it.
    if (this.#socket.destroyed) return;
    this.#close();
    this.#context.owner.lost(fault);
  }

  /** Closes the connection. The `error` listener stays. */
  #close(): void {
    this.#stopWaiting();
    this.#socket.destroy();
    this.#inspector.abandon();
    this.#context.yieldToNode?.();
  }

  /** Ends the wait for bytes. */
  #stopWaiting(): void {
    const { wheel, waiting } = this.#context;
    wheel.disarm(this);
    waiting.delete(this);
    this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd);
  }
}
