import type { Entry } from '../../access/access-check.ts';
import type { HeaderChanges } from '../../config/types/route.ts';
import { NO_EDITS, type HeaderEdits } from '../../wire/http/header-edits.ts';
import type { Exchange } from '../contract/exchange.ts';
import type { Entrant } from '../websocket/handshakes/handshake-gate.ts';
import type { ClientRequest } from './client-request.ts';

/** A request that has found its route. */
export interface Routed {
  readonly exchange: Exchange;
  readonly request: ClientRequest;
  /** Whether the client asks for a WebSocket. The handshake is not checked yet: only some routes make WebSockets. */
  readonly wantsUpgrade: boolean;
  /** What the request has been let in with; null if nothing was asked. */
  readonly entry: Entry | null;
  /** What holds the handshake's place at the gate; null for nothing. */
  readonly place: Entrant | null;
  /** Groups of the route's path expression. */
  readonly groups: readonly string[];
}

/** Answers the requests of one route, now or later. */
export type RouteHandler = (routed: Routed) => void;

/** Returns a route's header changes in the form in which they are applied. */
export function editsOf({ set, add, remove }: HeaderChanges): HeaderEdits {
  if (set.size === 0 && add.size === 0 && remove.length === 0) return NO_EDITS;
  return { dropped: new Set([...set.keys(), ...remove]), added: [...set, ...add].flat() };
}
