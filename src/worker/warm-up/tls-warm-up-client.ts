import type { EventLoop } from '../../loop/event-loop.ts';
import { EAGAIN } from '../../sys/errno.ts';
import type { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import { ClientStream, type ClientContext } from '../../sys/tls/client-stream.ts';
import { SCRATCH_BYTES } from './loopback-peer.ts';
import { WarmUpClient } from './warm-up-client.ts';

/** A warm-up client over TLS. About half of these clients resume the session of an earlier one. */
export class TlsWarmUpClient extends WarmUpClient {
  readonly #context: ClientContext;
  #stream: ClientStream | null = null;
  #isShaking = false;

  constructor(
    loop: EventLoop,
    scratch: PinnedBuffer,
    request: Buffer,
    over: (client: WarmUpClient) => void,
    context: ClientContext,
  ) {
    super(loop, scratch, request, over);
    this.#context = context;
  }

  override ready(): void {
    if (this.#isShaking) this.#shake();
    else super.ready();
  }

  override close(): void {
    this.#stream?.end();
    this.#stream = null;
    super.close();
  }

  protected override connected(): void {
    this.#stream = new ClientStream(this.#context, this.fd);
    this.#isShaking = true;
    this.#shake();
  }

  protected override receive(scratch: PinnedBuffer): number {
    const count = this.#stream?.read(scratch, 0, SCRATCH_BYTES) ?? -1;
    return count === 0 ? -EAGAIN : Math.max(count, 0);
  }

  protected override transmit(scratch: PinnedBuffer, length: number): void {
    this.#stream?.write(scratch, 0, length);
  }

  #shake(): void {
    const state = this.#stream?.handshake() ?? 'failed';
    if (state === 'read') return;
    this.#isShaking = false;
    if (state === 'done') super.connected();
    else this.close();
  }
}
