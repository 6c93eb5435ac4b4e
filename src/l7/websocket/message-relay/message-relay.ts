import type { Admission } from '../../../access/contract/admission.ts';
import { LiveSet } from '../../../core/collections/live-set.ts';
import type { Endpoint } from '../../../upstream/endpoint.ts';
import type { Relay, RelaySession, RelayTerms, SessionLog } from '../../contract/relay.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';
import type { MessageContext, MessageEnvironment } from './message-context.ts';
import { MessageSession } from './message-session.ts';

/** Relays whole messages: the engine frames the client's WebSocket, and this relay the endpoint's. */
export class MessageRelay implements Relay {
  readonly sessions = new LiveSet<RelaySession>();
  readonly #context: MessageContext;

  constructor(environment: MessageEnvironment, terms: RelayTerms) {
    this.#context = { ...environment, ...terms, sessions: this.sessions };
  }

  createSession(
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    _extensions: string,
    log: SessionLog | null,
    admission: Admission,
  ): MessageSession {
    return new MessageSession(this.#context, upstream, endpoint, log, admission);
  }
}
