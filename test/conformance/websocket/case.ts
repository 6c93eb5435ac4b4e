/**
 * A case of the WebSocket suite: the bytes of a hostile peer, the outcome that RFC 6455 wants, and the known
 * deviations of the proxy. One table serves both runs. In the first run the peer is a client in front of the
 * proxy; in the second it is an endpoint behind the proxy.
 */

import type { TlsEngine } from '../../support/engines.ts';

/** Which side of the proxy the hostile peer is on. */
export type Side = 'client' | 'endpoint';

/**
 * Listeners of the proxy. Those of the engine `uws` are named by their handling of permessage-deflate. Each
 * of sluice's own engines has one, and passes every extension on.
 */
export type ListenerName = 'off' | 'shared' | 'raw' | 'net' | TlsEngine;

export interface Message {
  readonly binary: boolean;
  readonly payload: Buffer;
}

/** One thing that the peer does. */
export type Step =
  | {
      readonly does: 'frame';
      readonly opcode: number;
      readonly payload: Buffer;
      readonly fin: boolean;
      readonly reserved: number;
    }
  /** Bytes as they are. */
  | { readonly does: 'bytes'; readonly bytes: Buffer }
  /** A message, compressed where that has been negotiated, in fragments of a size; 0 for one frame. */
  | { readonly does: 'message'; readonly message: Message; readonly fragmentSize: number }
  /** Waits for a number of echoes (a client only; an endpoint gets none) and pongs. */
  | { readonly does: 'await'; readonly echoes: number; readonly pongs: number }
  /** A text in one frame, written in three pieces that end at these bytes of the payload. */
  | { readonly does: 'cut'; readonly payload: Buffer; readonly at: readonly [number, number] }
  /** Looks for a short while whether a client's connection is failed already; a cut one looks before its third piece. */
  | { readonly does: 'look' };

/** How it ends. */
export type Ending =
  /** Nothing was wrong: the peer closes with 1000 after everything arrived. */
  | { readonly kind: 'normal' }
  /** The steps hold a close frame that is right; 1005 where it has no code. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The steps hold a breach, and this is the code of the RFC for it. */
  | { readonly kind: 'failed'; readonly code: 1002 | 1007 | 1009 };

/** The peer's steps, and the outcome that must follow. */
export interface Script {
  readonly steps: readonly Step[];
  /** What reaches the other side of the proxy whole. */
  readonly messages: readonly Message[];
  /** The messages that the echo endpoint sends to a client. `any` if timing decides. */
  readonly echoes: readonly Message[] | 'any';
  readonly pongs: readonly Buffer[];
}

/** What happened, in words that can be compared. Where a run knows nothing of a field it is left empty. */
export interface Outcome {
  /** Messages that reached the other side. */
  readonly relayed: string;
  /** Messages that came back to the hostile peer. */
  readonly echoed: string;
  readonly pongs: string;
  /** Code of the close frame that the hostile peer got; `none` for a connection that just ends. */
  readonly closeFrame: string;
  /** Code and reason that the other side got. */
  readonly otherSide: string;
  /** `once` where the connection was failed before the first look, `later`; for a client's cases that look. */
  readonly failedAt: string;
  /** The fault in the answer to the offer of permessage-deflate. */
  readonly negotiation: string;
}

/** What happens instead of what the RFC, or the suite, expects. */
export interface Deviation {
  readonly instead: string;
  readonly why: string;
  readonly outcome: Partial<Outcome>;
}

/** A known deviation of the engine `uws`. */
export interface Known extends Deviation {
  readonly side: Side;
  /** Where it happens; on every listener of the engine without. */
  readonly listener?: 'off' | 'shared';
}

export interface Case {
  readonly id: string;
  /** The bytes that the peer sends, in words. */
  readonly sends: string;
  /** Made when it is run: some are large. */
  readonly script: () => Script;
  readonly end: Ending;
  /** How the bytes are cut into writes: as they come, a frame in each, or a number of bytes in each. */
  readonly chop?: 'frame' | number;
  /** Listeners of the engine `uws`; `off` without. */
  readonly listeners?: readonly ('off' | 'shared')[];
  /** True if the case concerns something that only the engine `uws` inspects. */
  readonly uwsOnly?: boolean;
  /** The client's offer of permessage-deflate, whichever side it is on. */
  readonly offer?: string;
  /** For cases that make sense on one side only. */
  readonly only?: Side;
  readonly known?: readonly Known[];
}

/** Cases of one heading, such as 1.1. */
export interface Chapter {
  readonly title: string;
  readonly cases: readonly Case[];
}
