import { CLOSE_ABNORMAL } from '../../wire/frames/close-codes.ts';
import type { DownstreamOwner, DownstreamSocket } from '../contract/downstream-socket.ts';
import type { Addressed } from './clients/hidden-descriptors.ts';
import type { MessageMemory } from './message-memory.ts';
import type { WireTraits } from './unfinished/held-bytes.ts';
import type { Receiver, UnfinishedMessages } from './unfinished/unfinished-messages.ts';

/**
 * uWS's text for a malformed close frame, reported without a code. uWS 20.66 to 20.68 treats all codes from
 * 1012 to 3999 as malformed (no upstream issue known). Needed until uWS reports such codes.
 */
const REFUSED_CLOSE = 'Received invalid close payload';

/**
 * Whether uWS keeps the connection of an ended WebSocket until the client closes it. It does after a close
 * frame. Otherwise it has closed the connection.
 *
 * @param code and reason, as for {@link UwsClient.closed}
 */
export function keepsConnection(code: number, reason: ArrayBuffer): boolean {
  return code !== CLOSE_ABNORMAL || Buffer.from(reason).toString() === REFUSED_CLOSE;
}

/** State that the clients of one listener share. */
export interface ClientTerms {
  readonly wireTraits: WireTraits;
  readonly unfinished: UnfinishedMessages;
  readonly memory: MessageMemory;
}

/** Passes the events of one uWS WebSocket to its owner, and counts what uWS has delivered. */
export class UwsClient implements Receiver {
  liveIndex = -1;
  readonly owner: DownstreamOwner;
  /** Null before the client's 101, and after the WebSocket has ended. */
  socket: Addressed | null = null;
  /** Rounded: V8 stores an integer in the object, and a fraction in 16 bytes outside it. */
  readonly openedAt = Math.round(performance.now());
  messages = 0;
  messageBytes = 0;
  controlFrames = 0;
  controlBytes = 0;
  readonly #terms: ClientTerms;

  constructor(terms: ClientTerms, owner: DownstreamOwner) {
    this.#terms = terms;
    this.owner = owner;
  }

  get wireTraits(): WireTraits {
    return this.#terms.wireTraits;
  }

  /** Called when uWS has answered 101. */
  opened(socket: DownstreamSocket & Addressed): void {
    this.socket = socket;
    this.#terms.unfinished.opened(this);
    this.owner.downstreamOpened(socket);
  }

  message(data: ArrayBuffer, binary: boolean): void {
    const { memory } = this.#terms;
    this.messages++;
    this.messageBytes += data.byteLength;
    memory.hold(this, data);
    this.owner.downstreamMessage(data, binary);
    memory.release(this);
  }

  pong(data: ArrayBuffer): void {
    this.controlFrames++;
    this.controlBytes += data.byteLength;
    this.owner.downstreamPonged(new Uint8Array(data));
  }

  ping(data: ArrayBuffer): void {
    this.controlFrames++;
    this.controlBytes += data.byteLength;
    this.owner.downstreamPinged(new Uint8Array(data));
  }

  /**
   * Called when uWS has ended the WebSocket, possibly at the owner's request.
   *
   * @param code close code of either side, 1005 for none, 1006 without a valid close frame
   * @param reason close reason, or uWS's own text for 1006
   */
  closed(code: number, reason: ArrayBuffer): void {
    if (this.socket === null) return;
    this.socket = null;
    const { unfinished, memory } = this.#terms;
    memory.release(this);
    const bytes = new Uint8Array(reason);
    const detail = code === CLOSE_ABNORMAL ? Buffer.from(bytes).toString() : '';
    const sentBadClose = detail === REFUSED_CLOSE;
    unfinished.closed(this, keepsConnection(code, reason));
    if (code === CLOSE_ABNORMAL) this.owner.downstreamLost(detail, sentBadClose);
    else this.owner.downstreamClosed(code, bytes);
  }

  /** Reports the bytes that uWS holds of an incomplete message. May close the client before it returns. */
  unfinished(bytes: number): void {
    this.owner.downstreamUnfinished(bytes);
  }
}
