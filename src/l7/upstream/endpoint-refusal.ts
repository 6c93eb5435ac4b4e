import type { Attempts } from '../../upstream/attempts.ts';
import type { ConnectFailure } from '../../upstream/endpoint.ts';
import type { HandshakeFailure } from '../contract/listener-stats.ts';

/** How a client is answered if no endpoint serves it. */
interface EndpointRefusal {
  readonly status: 502 | 503 | 504;
  readonly message: string;
  /** What a handshake counts as. */
  readonly failure: HandshakeFailure;
}

const NO_ENDPOINT: EndpointRefusal = {
  status: 503,
  message: 'no endpoint is available',
  failure: 'no_endpoint',
};
const OVERLOAD: EndpointRefusal = {
  status: 503,
  message: 'the endpoints have all the connections that they may have',
  failure: 'overload',
};
const OWN_SHORTAGE: EndpointRefusal = {
  status: 503,
  message: 'the proxy has no descriptor or memory left',
  failure: 'own_shortage',
};
const UNREACHABLE: EndpointRefusal = {
  status: 502,
  message: 'the endpoint cannot be reached',
  failure: 'dial_failed',
};
const BY_FAILURE: Readonly<Record<ConnectFailure, EndpointRefusal>> = {
  timeout: { status: 504, message: 'the endpoint did not accept in time', failure: 'timeout' },
  handshake: { status: 502, message: 'the endpoint gave no valid answer', failure: 'bad_response' },
  reset: { status: 502, message: 'the endpoint closed without an answer', failure: 'dial_failed' },
  own_shortage: OWN_SHORTAGE,
  own_ports: { status: 503, message: 'the proxy has no local port left', failure: 'own_shortage' },
  refused: UNREACHABLE,
  unreachable: UNREACHABLE,
  tls: UNREACHABLE,
  other: UNREACHABLE,
};

/** Chooses the answer for a client whose attempts have ended without an endpoint. */
export function endpointRefusal({
  lastFailure,
  limit,
}: Pick<Attempts, 'lastFailure' | 'limit'>): EndpointRefusal {
  if (limit === 'descriptors') return OWN_SHORTAGE;
  if (lastFailure !== null) return BY_FAILURE[lastFailure];
  return limit === null ? NO_ENDPOINT : OVERLOAD;
}
