import type { Admission } from '../../../access/contract/admission.ts';
import { LiveSet } from '../../../core/collections/live-set.ts';
import type { Endpoint } from '../../../upstream/endpoint.ts';
import { reservedBitsOf, type FrameRules } from '../../../wire/frames/frame-tracker.ts';
import type { Relay, RelaySession, RelayTerms, SessionLog } from '../../contract/relay.ts';
import type { StreamSession } from '../../contract/stream-session.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';
import { ByteSession } from './byte-session.ts';
import type { SessionRules, StreamContext, StreamEnvironment } from './stream-context.ts';

type Extensions = FrameRules['extensions'];

/** Relays bytes: frames cross as they came, and only their borders are known. */
export class StreamRelay implements Relay {
  readonly sessions = new LiveSet<RelaySession>();
  readonly #context: StreamContext;
  readonly #rules: Readonly<Record<Extensions, SessionRules>>;

  constructor(environment: StreamEnvironment, terms: RelayTerms) {
    const { maxMessageSize } = terms.settings;
    const rulesFor = (extensions: Extensions): SessionRules => ({
      client: { masked: true, extensions, maxMessageSize },
      // Nothing of a message is held here, so that an endpoint may send messages of any size.
      endpoint: { masked: false, extensions, maxMessageSize: Infinity },
    });
    this.#context = { ...environment, ...terms, sessions: this.sessions };
    this.#rules = { none: rulesFor('none'), deflate: rulesFor('deflate'), any: rulesFor('any') };
  }

  createSession(
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    extensions: string,
    log: SessionLog | null,
    admission: Admission,
  ): StreamSession {
    const rules = this.#rules[reservedBitsOf(extensions)];
    return new ByteSession(this.#context, rules, upstream, endpoint, log, admission);
  }
}
