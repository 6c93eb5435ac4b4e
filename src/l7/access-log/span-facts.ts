import type { SpanFacts } from '../../telemetry/journal/entries.ts';
import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import { methodField } from './request-fields.ts';

/** The parts of a request that its span describes. */
interface TracedRequest {
  readonly head: RequestHead;
  readonly client: Pick<ClientIdentity, 'trace' | 'proto'>;
}

/**
 * Returns the facts that only a span records about a request. Undefined without tracing.
 *
 * @param attempts number of endpoints tried
 * @param seconds since the request arrived
 */
export function spanFacts(
  { head, client }: TracedRequest,
  attempts: number,
  seconds: number,
): SpanFacts | undefined {
  const { trace, proto } = client;
  if (trace === null) return undefined;
  return {
    trace,
    method: methodField(head),
    scheme: proto === 'https' || proto === 'wss' ? 'https' : 'http',
    version: head.isHttp10 === true ? '1.0' : '1.1',
    peer: trace.peer,
    attempts,
    startedAt: Date.now() - seconds * 1000,
  };
}
