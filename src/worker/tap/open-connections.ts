import { labelOf, type Principal } from '../../access/contract/principal.ts';
import type { SessionTap, TappedSession, TappedTunnel, TunnelTap } from '../../telemetry/tap/tap.ts';

/** An open session, as a tap finds it. */
export interface OpenSession {
  readonly number: number;
  readonly openedAt: number;
  readonly extensions: string;
  readonly endpoint: { readonly label: string };
  readonly admission: { readonly principal: Principal; readonly address: string };
  /** Whether the session reports no more events. */
  readonly hasEnded: boolean;
  tap: SessionTap | null;
}

/** An open tunnel, as a tap finds it. */
export interface OpenTunnel {
  /** Null before the join and after the end. */
  readonly place: TappedTunnel | null;
  tap: TunnelTap | null;
}

/** The open sessions of one listener, route and cluster, or the tunnels of one listener and cluster. */
export interface OpenGroup {
  readonly listener: string;
  readonly route: string;
  readonly cluster: string;
  readonly sessions: Iterable<OpenSession>;
  readonly tunnels: Iterable<OpenTunnel>;
}

/** Returns the facts of an open session. Its handshake is no longer known. */
export function factsOf(session: OpenSession, { listener, route, cluster }: OpenGroup): TappedSession {
  const { number, openedAt, extensions, endpoint, admission } = session;
  return {
    number,
    listener,
    route,
    cluster,
    endpoint: endpoint.label,
    principal: labelOf(admission.principal),
    client: admission.address,
    openedAt,
    extensions,
    handshake: null,
  };
}
