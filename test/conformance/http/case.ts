/** A case: the bytes that it sends, and the outcome that must follow. */

/** A Latin-1 string that stands for bytes. */
type Bytes = string;

export type Outcome =
  /** Each request reaches the endpoint as it stands here, and its own answer comes back. */
  | { readonly kind: 'passes'; readonly received: readonly Bytes[]; readonly then: 'open' | 'closed' }
  /** Nothing reaches the endpoint, and the connection is closed behind the answer. */
  | { readonly kind: 'refused'; readonly status: number }
  /**
   * The bytes after the first request close the connection. The first request may have reached the endpoint
   * by then.
   */
  | { readonly kind: 'aborted'; readonly received: Bytes; readonly statuses: readonly number[] }
  /** The fault shows when the head may already be upstream: no whole request reaches the endpoint. */
  | { readonly kind: 'cut'; readonly status: number }
  /** It is taken for the beginning of a request, which does not reach the endpoint. */
  | { readonly kind: 'waits' };

export interface Case {
  readonly id: string;
  /** In a few words. */
  readonly sends: string;
  readonly bytes: Bytes;
  /** How many bytes come first, and are read before the others come; all of them without. */
  readonly first?: number;
  /** On every engine, unless {@link uws} says something else. */
  readonly outcome: Outcome;
  /** Why that is not what RFC 9110 and 9112 want. */
  readonly known?: Known;
  /** Deviation of the uWebSockets.js engine. */
  readonly uws?: Deviation;
}

/** The different behaviour of one engine, and the reason. */
export interface Deviation {
  readonly outcome: Outcome;
  readonly why: string;
}

/** Something that the RFC wants and that does not happen. */
export interface Known {
  readonly wanted: string;
  readonly why: string;
}

export interface Chapter {
  readonly title: string;
  readonly cases: readonly Case[];
}
