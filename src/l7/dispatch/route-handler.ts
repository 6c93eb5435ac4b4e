import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import type { Entry } from '../../access/access-check.ts';
import type { AccessSettings } from '../../config/types/access.ts';
import type { HeaderChanges, Route } from '../../config/types/route.ts';
import { NO_EDITS, type HeaderEdits } from '../../wire/http/header-edits.ts';
import type { Exchange } from '../contract/exchange.ts';
import type { Entrant } from '../websocket/handshakes/handshake-gate.ts';
import type { ClientRequest } from './client-request.ts';

/** A request with its route. */
export interface RoutedRequest {
  readonly exchange: Exchange;
  readonly request: ClientRequest;
  /**
   * Whether the client asks for a WebSocket. The handshake is still unchecked: only some routes have
   * WebSockets.
   */
  readonly wantsUpgrade: boolean;
  /** The request's admission and edited head, or null if the route has no access rules or limits. */
  readonly entry: Entry | null;
  /** The holder of the handshake's place at the gate, or null. */
  readonly place: Entrant | null;
  /** Groups of the route's path expression. */
  readonly groups: readonly string[];
}

/** Answers the requests of one route, now or later. */
export type RouteHandler = (routed: RoutedRequest) => void;

/** The route table's value for a route. All generations with the route share one object. */
export class RouteTarget {
  readonly route: Route;
  #effect: string | null = null;

  constructor(route: Route) {
    this.route = route;
    // Computed now, so that no request waits for it: address lists may be long.
    if (route.access !== null) accessDigest(route.access);
  }

  /** A digest that is equal for routes with the same effect, whatever their names and conditions. */
  get effect(): string {
    return (this.#effect ??= effectOf(this.route));
  }
}

/** Returns a route's header changes in the form that is applied to heads. */
export function editsOf({ set, add, remove }: HeaderChanges): HeaderEdits {
  if (set.size === 0 && add.size === 0 && remove.length === 0) return NO_EDITS;
  return { dropped: new Set([...set.keys(), ...remove]), added: [...set, ...add].flat() };
}

/**
 * Returns a digest of a route's effect, error pages apart. A digest is short even if a `respond` action has a
 * long text.
 */
function effectOf(route: Route): string {
  const access = route.access === null ? null : accessDigest(route.access);
  return digestOf({ ...route, name: null, match: null, errorPages: null, access });
}

/** Digests of access settings and of their parts, which thousands of routes may share. */
const accessDigests = new WeakMap<object, string>();

function accessDigest(access: AccessSettings): string {
  let digest = accessDigests.get(access);
  if (digest !== undefined) return digest;
  const parts = Object.entries(access).map(([name, part]) => `${name} ${partDigest(part as object | null)}`);
  digest = digestOf(parts.sort());
  accessDigests.set(access, digest);
  return digest;
}

function partDigest(part: object | null): string {
  if (part === null) return '';
  let digest = accessDigests.get(part);
  if (digest === undefined) accessDigests.set(part, (digest = digestOf(part)));
  return digest;
}

function digestOf(value: object): string {
  return createHash('sha256').update(serialize(value)).digest('base64');
}
