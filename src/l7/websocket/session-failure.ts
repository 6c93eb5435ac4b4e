import type { Admission } from '../../access/contract/admission.ts';
import type { RequestFacts } from '../../telemetry/journal/entries.ts';
import { EVENT } from '../../telemetry/journal/journal.ts';
import { sessionOutcome } from '../../telemetry/journal/outcomes.ts';
import type { SessionEnd, SessionLog } from '../contract/relay.ts';
import type { UpgradeContext } from './upgrade-order.ts';

/**
 * Reports a session to the journal only if it fails. It keeps no text, because the session's access lines and
 * spans are off.
 */
export class SessionFailure implements SessionLog {
  readonly #context: UpgradeContext;
  readonly #endpoint: string;
  readonly #admission: Admission;

  /** @param endpoint label of the endpoint */
  constructor(context: UpgradeContext, endpoint: string, admission: Admission) {
    this.#context = context;
    this.#endpoint = endpoint;
    this.#admission = admission;
  }

  opened(): void {
    // Nothing has failed yet.
  }

  happened(): void {
    // Only spans have such events.
  }

  closed(end: SessionEnd): void {
    const { journal, listener, route, cluster } = this.#context;
    if (sessionOutcome(end.side, end.code) !== 'failure') return;
    const sinks = journal.sinksOf('failure', 0, null) & EVENT;
    if (sinks === 0) return;
    const place = { listener, route: route.name, cluster: cluster.name, endpoint: this.#endpoint };
    const requestFacts = onlyClient(this.#admission.address);
    const unknown = { subprotocol: undefined, handshakeSeconds: 0, span: undefined };
    journal.sessionClosed(sinks, { ...place, ...unknown, requestFacts }, end, []);
  }
}

function onlyClient(client: string): RequestFacts {
  return {
    client,
    requestId: '',
    traceId: undefined,
    principal: undefined,
    certSubject: undefined,
    certFingerprint: undefined,
    vpcEndpointId: undefined,
    host: undefined,
    path: undefined,
    origin: undefined,
    userAgent: undefined,
    referer: undefined,
    isHttp10: false,
  };
}
