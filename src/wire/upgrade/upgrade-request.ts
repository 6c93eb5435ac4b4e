import { SUBPROTOCOL } from '../../core/tokens.ts';
import {
  headerOf,
  joinedHeaderOf,
  listMembers,
  onlyHeaderOf,
  type RequestHead,
} from '../http/request-head.ts';
import { isHandshakeKey } from './accept-key.ts';

/** A client's valid opening handshake. */
export interface UpgradeRequest {
  readonly key: string;
  /** As offered, in order; may be empty. */
  readonly subprotocols: readonly string[];
}

/** Why a handshake is refused. */
interface UpgradeProblem {
  /** 426 if another WebSocket version may work, otherwise 400. */
  readonly status: 400 | 426;
  readonly reason: string;
}

/** Not toLowerCase: it maps the Kelvin sign to the letter k. */
const WEBSOCKET = /^websocket$/i;

/**
 * Reports whether the client asks to upgrade to WebSocket. The Upgrade header is ignored without the
 * connection option `upgrade`, and in HTTP/1.0 (RFC 9110 section 7.8). Other upgrades are not forwarded.
 */
export function wantsWebSocket(head: RequestHead): boolean {
  if (head.isHttp10 === true) return false;
  const upgrade = joinedHeaderOf(head, 'upgrade');
  if (upgrade === undefined) return false;
  return (
    listMembers(upgrade).some((member) => WEBSOCKET.test(member)) &&
    listMembers(joinedHeaderOf(head, 'connection')).some((member) => member.toLowerCase() === 'upgrade')
  );
}

/** Returns the subprotocols that a client offers, in order and unchecked. */
export function offeredSubprotocols(head: RequestHead): string[] {
  return listMembers(joinedHeaderOf(head, 'sec-websocket-protocol'));
}

/** Checks a handshake against RFC 6455 section 4.2.1. Call it only if {@link wantsWebSocket} is true. */
export function checkUpgrade(head: RequestHead): UpgradeRequest | UpgradeProblem {
  if (head.method !== 'GET') return bad('a WebSocket handshake must be a GET request');
  const upgrade = listMembers(joinedHeaderOf(head, 'upgrade'));
  if (upgrade.length !== 1) return bad('upgrade must be websocket alone');
  const length = headerOf(head, 'content-length');
  if (headerOf(head, 'transfer-encoding') !== undefined || (length !== undefined && Number(length) !== 0)) {
    return bad('a WebSocket handshake has no body');
  }
  const version = onlyHeaderOf(head, 'sec-websocket-version');
  if (version === null) return bad('more than one sec-websocket-version header');
  if (version !== '13') return { status: 426, reason: 'only WebSocket version 13 is supported' };
  const key = onlyHeaderOf(head, 'sec-websocket-key');
  if (key === null) return bad('more than one sec-websocket-key header');
  if (key === undefined || !isHandshakeKey(key))
    return bad('sec-websocket-key must be the base64 of 16 bytes');
  const subprotocols = offeredSubprotocols(head);
  if (!subprotocols.every((offered) => SUBPROTOCOL.test(offered))) return bad('bad sec-websocket-protocol');
  if (new Set(subprotocols).size !== subprotocols.length) return bad('subprotocol offered twice');
  return { key, subprotocols };
}

function bad(reason: string): UpgradeProblem {
  return { status: 400, reason };
}
