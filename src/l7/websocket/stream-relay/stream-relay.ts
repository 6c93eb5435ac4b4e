import type { Admission } from '../../../access/contract/admission.ts';
import { LiveSet } from '../../../core/collections/live-set.ts';
import { copyOfText } from '../../../core/copy.ts';
import type { Endpoint } from '../../../upstream/endpoint.ts';
import { reservedBitsOf } from '../../../wire/frames/frame-tracker.ts';
import type { Relay, RelaySession, RelayTerms, SessionLog } from '../../contract/relay.ts';
import type { StreamSession } from '../../contract/stream-session.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';
import { ByteSession } from './byte-session.ts';
import type { SessionRules, StreamContext, StreamEnvironment } from './stream-context.ts';

/**
 * Max values of Sec-WebSocket-Extensions whose sessions share rules. Endpoints choose the values, and most
 * choose one.
 */
const MAX_SHARED_RULES = 64;
const MAX_SHARED_BYTES = 256;

/** Relays byte streams: frames pass unchanged, and only their borders are tracked. */
export class StreamRelay implements Relay {
  readonly sessions = new LiveSet<RelaySession>();
  readonly #context: StreamContext;
  /** By agreed extensions. */
  readonly #rules = new Map<string, SessionRules>();

  constructor(environment: StreamEnvironment, terms: RelayTerms) {
    this.#context = { ...environment, ...terms, sessions: this.sessions };
  }

  createSession(
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    extensions: string,
    log: SessionLog | null,
    admission: Admission,
  ): StreamSession {
    const rules = this.#rulesOf(extensions);
    return new ByteSession(this.#context, rules, upstream, endpoint, log, admission);
  }

  #rulesOf(agreed: string): SessionRules {
    const known = this.#rules.get(agreed);
    if (known !== undefined) return known;
    // Copied because a slice would keep the whole head in memory.
    const rules = rulesFor(copyOfText(agreed), this.#context.settings.maxMessageSize);
    if (this.#rules.size < MAX_SHARED_RULES && agreed.length <= MAX_SHARED_BYTES)
      this.#rules.set(rules.client.agreed, rules);
    return rules;
  }
}

function rulesFor(agreed: string, maxMessageSize: number): SessionRules {
  const extensions = reservedBitsOf(agreed);
  return {
    client: { agreed, masked: true, extensions, maxMessageSize },
    // Messages are not collected here, so an endpoint may send messages of any size.
    endpoint: { agreed, masked: false, extensions, maxMessageSize: Infinity },
  };
}
