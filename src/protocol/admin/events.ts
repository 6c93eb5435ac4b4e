/** Recent refusals and failures, kept by the primary: `GET /events` at the admin address. */

/** Kinds of events that only the primary creates. Clients cannot cause them at will. */
const PRIMARY_KINDS = ['endpoint', 'reload', 'worker', 'process'] as const;

/** Kind of refusal or failure. */
export type EventKind =
  'connection' | 'request' | 'handshake' | 'session' | 'tunnel' | 'admin' | (typeof PRIMARY_KINDS)[number];

/** Whether only the primary creates events of this kind: see {@link PRIMARY_KINDS}. */
export function isPrimaryKind(kind: EventKind): boolean {
  return (PRIMARY_KINDS as readonly EventKind[]).includes(kind);
}

/** An event as a worker or the primary reports it. */
export interface EventFacts {
  readonly kind: EventKind;
  /** The label `reason` of the metric that counts the event, or a word for the event: `ejected`, `down`. */
  readonly reason: string;
  /** Details in words, if the reason is not enough. */
  readonly detail?: string | undefined;
  /** HTTP status of the answer. */
  readonly status?: number | undefined;
  /** Close code of a session. */
  readonly code?: number | undefined;
  /** The side that ended a session. */
  readonly side?: string | undefined;
  readonly listener?: string | undefined;
  readonly route?: string | undefined;
  readonly cluster?: string | undefined;
  readonly endpoint?: string | undefined;
  /** The client's IP address. */
  readonly client?: string | undefined;
  /** The principal as access lines write it (`log.principal`). */
  readonly principal?: string | undefined;
  readonly host?: string | undefined;
  /** Path without its query. */
  readonly path?: string | undefined;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
}

/** An event from a worker. */
export interface WorkerEvent extends EventFacts {
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A row of `GET /events`. Equal events within a short time share one row. */
export interface EventRow extends EventFacts {
  /** Grows with each change. Readers pass the last number to get newer rows: `?after=NUMBER`. */
  readonly number: number;
  /** When the row's last event happened, in ISO 8601 and UTC. */
  readonly at: string;
  /** When the row's first event happened, at most a minute before the last. */
  readonly firstAt: string;
  readonly worker?: string | undefined;
  /** Number of events in the row. */
  readonly count: number;
}

/** The answer of `GET /events`, newest rows last. */
export interface EventPage {
  readonly events: readonly EventRow[];
  /** Value of `after` for the next request. */
  readonly last: number;
  /** Number of events that workers dropped because there were too many. */
  readonly suppressed: number;
}
