import type { SpanFacts } from '../../telemetry/journal/entries.ts';
import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import type { RequestHead } from '../../wire/http/request-head.ts';
import { methodField } from './request-fields.ts';

/** A request as far as its span tells of it. */
interface TracedRequest {
  readonly head: RequestHead;
  readonly client: Pick<ClientIdentity, 'trace' | 'proto'>;
}

/**
 * Returns what only a span tells of a request; undefined without tracing.
 *
 * @param attempts endpoints that were asked
 * @param seconds since the request came
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
