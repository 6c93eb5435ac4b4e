import { isHandshakeKey } from './accept-key.ts';
import { headerOf, isToken, joinedHeaderOf, listMembers, type RequestHead } from './request-head.ts';

/** A client's opening handshake that is in order. */
export interface UpgradeRequest {
  readonly key: string;
  /** As offered, in order; may be empty. */
  readonly subprotocols: readonly string[];
}

/** Why a handshake is refused. */
interface UpgradeProblem {
  /** 426 where another version might work, else 400. */
  readonly status: 400 | 426;
  readonly reason: string;
}

/** Without toLowerCase, for which the Kelvin sign is a letter k. */
const WEBSOCKET = /^websocket$/i;

/** Whether the client asks for `websocket` at all: any other upgrade is not ours to forward. */
export function wantsWebSocket(head: RequestHead): boolean {
  return listMembers(joinedHeaderOf(head, 'upgrade')).some((member) => WEBSOCKET.test(member));
}

/** Checks a request that {@link wantsWebSocket} against RFC 6455 section 4.2.1. */
export function checkUpgrade(head: RequestHead): UpgradeRequest | UpgradeProblem {
  if (head.method !== 'GET') return bad('a WebSocket handshake must be a GET request');
  const upgrade = listMembers(joinedHeaderOf(head, 'upgrade'));
  if (upgrade.length !== 1) return bad('upgrade must name websocket alone');
  const connection = listMembers(joinedHeaderOf(head, 'connection'));
  if (!connection.some((member) => member.toLowerCase() === 'upgrade')) {
    return bad('the connection header must hold upgrade');
  }
  const length = headerOf(head, 'content-length');
  if (headerOf(head, 'transfer-encoding') !== undefined || (length !== undefined && Number(length) !== 0)) {
    return bad('a WebSocket handshake has no body');
  }
  const version = headerOf(head, 'sec-websocket-version');
  if (version !== '13') return { status: 426, reason: 'only WebSocket version 13 is spoken here' };
  const key = headerOf(head, 'sec-websocket-key');
  if (key === undefined || !isHandshakeKey(key))
    return bad('sec-websocket-key must be the base64 of 16 bytes');
  const subprotocols = listMembers(joinedHeaderOf(head, 'sec-websocket-protocol'));
  if (!subprotocols.every(isToken)) return bad('bad sec-websocket-protocol');
  if (new Set(subprotocols).size !== subprotocols.length) return bad('subprotocol offered twice');
  return { key, subprotocols };
}

function bad(reason: string): UpgradeProblem {
  return { status: 400, reason };
}
