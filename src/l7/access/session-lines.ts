import type { Logger } from '../../telemetry/logger.ts';
import type { CloseSide } from '../session-stats.ts';

/** Whose session it is. */
export interface SessionIdentity {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string;
  readonly client: string;
  readonly requestId: string;
}

/** How a session ended. */
interface SessionEnd {
  readonly side: CloseSide;
  readonly code: number;
  /** In words, if the code does not tell. */
  readonly reason: string | undefined;
  readonly seconds: number;
  readonly messagesUpstream: number;
  readonly messagesDownstream: number;
  readonly bytesUpstream: number;
  readonly bytesDownstream: number;
}

/** Writes the access lines of one session. */
export class SessionLines {
  readonly #access: Logger;
  readonly #identity: SessionIdentity;
  /** The endpoint's label. */
  readonly #endpoint: string;

  constructor(access: Logger, identity: SessionIdentity, endpoint: string) {
    this.#access = access;
    this.#identity = identity;
    this.#endpoint = endpoint;
  }

  opened(): void {
    this.#access.info({ ...this.#identity, endpoint: this.#endpoint }, 'session opened');
  }

  closed(end: SessionEnd): void {
    this.#access.info({ ...this.#identity, endpoint: this.#endpoint, ...end }, 'session closed');
  }
}
