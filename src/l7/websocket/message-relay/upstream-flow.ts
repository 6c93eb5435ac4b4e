import { copyOf } from '../../../core/copy.ts';
import type { SessionTap } from '../../../telemetry/tap/tap.ts';
import { closePayload } from '../../../wire/frames/frame-writer.ts';
import {
  OPCODE_BINARY,
  OPCODE_CLOSE,
  OPCODE_PING,
  OPCODE_PONG,
  OPCODE_TEXT,
} from '../../../wire/frames/opcodes.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';
import type { MessageContext } from './message-context.ts';
import type { OutboxSender } from './outbox.ts';
import { queuesPong } from './pong-bounds.ts';

const NO_PAYLOAD = new Uint8Array(0);

/** Receives the buffer events of an endpoint. */
export interface UpstreamFlowOwner {
  readonly context: MessageContext;
  /** Watches the session's frames, or null. */
  readonly tap: SessionTap | null;
  /**
   * Called after a write that the kernel did not take completely. The owner may close the endpoint's socket.
   *
   * @param following bytes of the same message that will also wait, unless the socket is closed before this
   * returns
   */
  upstreamBlocked(following: number): void;
}

/** Sends the client's messages, and sluice's own control frames, to the endpoint. */
export class UpstreamFlow implements OutboxSender {
  readonly upstream: UpstreamSocket;
  /** Number of messages that the client has sent. */
  messages = 0;
  /** Payload bytes of these messages. */
  bytes = 0;
  readonly #owner: UpstreamFlowOwner;
  /** Payload of the endpoint's latest unanswered ping, or null. */
  #pongDue: Uint8Array | null = null;

  constructor(owner: UpstreamFlowOwner, upstream: UpstreamSocket) {
    this.#owner = owner;
    this.upstream = upstream;
  }

  get upstreamBuffer(): number {
    return this.#owner.context.settings.upstreamBuffer;
  }

  upstreamBlocked(following: number): void {
    this.#owner.upstreamBlocked(following);
  }

  /** Sends a message of the client. Returns false if there is no room: then no part of it is sent. */
  send(data: ArrayBuffer, binary: boolean): boolean {
    const { context } = this.#owner;
    const { stats } = context;
    const length = data.byteLength;
    this.messages++;
    this.bytes += length;
    const opcode = binary ? OPCODE_BINARY : OPCODE_TEXT;
    if (!context.outbox.send(this, opcode, new Uint8Array(data), maskOf(context))) return false;
    stats.values[stats.messagesUpstream]! += 1;
    stats.values[stats.bytesUpstream]! += length;
    return true;
  }

  ping(): void {
    sendControl(this, this.#owner, OPCODE_PING, NO_PAYLOAD);
  }

  /**
   * Answers a ping of the endpoint at once, or when fewer bytes are queued. Then only the latest ping gets an
   * answer.
   */
  pong(payload: Uint8Array): void {
    const isSent =
      queuesPong(this.upstream.writableLength) && sendControl(this, this.#owner, OPCODE_PONG, payload);
    this.#pongDue = isSent ? null : copyOf(payload);
  }

  /** Retries the pending pong, if there is one. */
  retryPong(): void {
    const due = this.#pongDue;
    if (due !== null && sendControl(this, this.#owner, OPCODE_PONG, due)) this.#pongDue = null;
  }

  /** Sends a close frame after all queued bytes. */
  close(code: number, reason: Uint8Array): void {
    sendControl(this, this.#owner, OPCODE_CLOSE, closePayload(code, reason));
    this.#owner.context.outbox.flush();
  }
}

// Functions, because each private method would cost 8 bytes per object in V8.

function sendControl(
  flow: UpstreamFlow,
  owner: UpstreamFlowOwner,
  opcode: number,
  payload: Uint8Array,
): boolean {
  const { context } = owner;
  if (!context.outbox.send(flow, opcode, payload, maskOf(context))) return false;
  if (owner.tap !== null) owner.tap.sent(false, opcode, payload);
  return true;
}

function maskOf({ randomMasks, random }: MessageContext): number {
  return randomMasks ? random.int32() : 0;
}
