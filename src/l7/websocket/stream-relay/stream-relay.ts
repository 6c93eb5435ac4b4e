import { LiveSet } from '../../../core/collections/live-set.ts';
import type { Endpoint } from '../../../upstream/endpoint.ts';
import { reservedBitsOf, type FrameRules } from '../../../wire/frames/frame-tracker.ts';
import type { Relay, RelaySession, RelayTerms, SessionLog } from '../../contract/relay.ts';
import type { StreamSession } from '../../contract/stream-session.ts';
import type { UpstreamSocket } from '../../contract/upstream-socket.ts';
import { ByteSession } from './byte-session.ts';
import type { StreamContext, StreamEnvironment } from './session-context.ts';

type Extensions = FrameRules['extensions'];

/** Relays bytes: frames cross as they came, and only their borders are known. */
export class StreamRelay implements Relay {
  readonly sessions = new LiveSet<RelaySession>();
  readonly #context: StreamContext;
  readonly #clientRules: Readonly<Record<Extensions, FrameRules>>;
  readonly #endpointRules: Readonly<Record<Extensions, FrameRules>>;

  constructor(environment: StreamEnvironment, terms: RelayTerms) {
    const { maxMessageSize } = terms.settings;
    this.#context = { ...environment, ...terms, sessions: this.sessions };
    this.#clientRules = rulesFor(true, maxMessageSize);
    // Nothing of a message is held here, so that an endpoint may send messages of any size.
    this.#endpointRules = rulesFor(false, Infinity);
  }

  createSession(
    upstream: UpstreamSocket,
    endpoint: Endpoint,
    extensions: string,
    log: SessionLog | null,
  ): StreamSession {
    const kind = reservedBitsOf(extensions);
    const rules = { client: this.#clientRules[kind], endpoint: this.#endpointRules[kind] };
    return new ByteSession(this.#context, rules, upstream, endpoint, log);
  }
}

function rulesFor(masked: boolean, maxMessageSize: number): Readonly<Record<Extensions, FrameRules>> {
  const rules = (extensions: Extensions): FrameRules => ({ masked, extensions, maxMessageSize });
  return { none: rules('none'), deflate: rules('deflate'), any: rules('any') };
}
