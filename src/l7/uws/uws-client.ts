import { CLOSE_ABNORMAL } from '../../wire/frames/close-codes.ts';
import type { DownstreamOwner, DownstreamSocket } from '../contract/downstream-socket.ts';
import type { Addressed } from './clients/hidden-descriptors.ts';
import type { MessageMemory } from './message-memory.ts';
import type { WireTraits } from './unfinished/held-bytes.ts';
import type { Receiver, UnfinishedMessages } from './unfinished/unfinished-messages.ts';

/**
 * The reason that uWS 20.66 to 20.68 gives for a malformed close frame, instead of a code. It takes every code from 1012 to
 * 3999 for malformed; no upstream issue known. This can go when uWS passes such codes on.
 */
const REFUSED_CLOSE = 'Received invalid close payload';

/**
 * Tells whether uWS keeps the connection of a WebSocket that has ended until the client closes it: it does after a close
 * frame. Else it has closed the connection.
 *
 * @param code and reason, as for {@link UwsClient.closed}
 */
export function keepsConnection(code: number, reason: ArrayBuffer): boolean {
  return code !== CLOSE_ABNORMAL || Buffer.from(reason).toString() === REFUSED_CLOSE;
}

/** What the clients of one listener share. */
export interface ClientTerms {
  readonly wireTraits: WireTraits;
  readonly unfinished: UnfinishedMessages;
  readonly memory: MessageMemory;
}

/** Passes the events of one WebSocket of uWS to its owner, and counts what uWS has handed over. */
export class UwsClient implements Receiver {
  liveIndex = -1;
  readonly owner: DownstreamOwner;
  /** Null before the client has been answered 101, and after its WebSocket has ended. */
  socket: Addressed | null = null;
  /** Rounded: V8 keeps an integer in the object, and a fraction in 16 bytes beside it. */
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

  /** uWS has answered 101. */
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
   * uWS has ended the WebSocket, perhaps on the owner's call.
   *
   * @param code of the client's close frame or of ours, 1005 for none; 1006 without a valid close frame
   * @param reason of the close frame; uWS's own words behind 1006
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

  /** Tells the owner how much uWS keeps of an unfinished message. The client may be closed before this returns. */
  unfinished(bytes: number): void {
    this.owner.downstreamUnfinished(bytes);
  }
}
