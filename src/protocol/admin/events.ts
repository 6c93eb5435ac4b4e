/** Refused and failed things, of which the primary keeps the last ones: `GET /events` at the admin address. */

/** Kinds of events of the primary, which clients cannot cause at will. */
const OWN_KINDS = ['endpoint', 'reload', 'worker', 'process'] as const;

/** What was refused or has failed. */
export type EventKind =
  'connection' | 'request' | 'handshake' | 'session' | 'tunnel' | 'admin' | (typeof OWN_KINDS)[number];

/** Whether events of a kind are those of the primary, which clients cannot cause at will. */
export function isOwnKind(kind: EventKind): boolean {
  return (OWN_KINDS as readonly EventKind[]).includes(kind);
}

/** An event as a worker or the primary tells it. */
export interface EventFacts {
  readonly kind: EventKind;
  /** The label `reason` of the metric that counts the event, or a word for what has happened: `ejected`, `down`. */
  readonly reason: string;
  /** In words, if the reason does not tell. */
  readonly detail?: string | undefined;
  /** The status of the answer. */
  readonly status?: number | undefined;
  /** The close code of a session. */
  readonly code?: number | undefined;
  /** The side that ended a session. */
  readonly side?: string | undefined;
  readonly listener?: string | undefined;
  readonly route?: string | undefined;
  readonly cluster?: string | undefined;
  readonly endpoint?: string | undefined;
  /** The client's IP address. */
  readonly client?: string | undefined;
  /** As access lines write it (`log.principal`). */
  readonly principal?: string | undefined;
  readonly host?: string | undefined;
  /** Without the query. */
  readonly path?: string | undefined;
  readonly requestId?: string | undefined;
  readonly traceId?: string | undefined;
}

/** An event of a worker. */
export interface WorkerEvent extends EventFacts {
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A row of `GET /events`. Equal events of a short time are one row. */
export interface EventRow extends EventFacts {
  /** Rises with each change, so that a reader asks for what is new: `?after=NUMBER`. */
  readonly number: number;
  /** When the row's last event happened. ISO 8601 in UTC. */
  readonly at: string;
  /** When the row's first event happened, at most a minute before the last. */
  readonly firstAt: string;
  readonly worker?: string | undefined;
  /** How many events the row stands for. */
  readonly count: number;
}

/** The answer of `GET /events`: the newest rows last. */
export interface EventPage {
  readonly events: readonly EventRow[];
  /** The number to ask with next. */
  readonly last: number;
  /** Events that workers have left out, because there were too many. */
  readonly suppressed: number;
}
