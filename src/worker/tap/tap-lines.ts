/**
 * Creates the lines of a recording: see `wire/recording/records.ts`. Written by hand, because there are many
 * lines.
 */
import { fromByteText } from '../../core/byte-text.ts';
import type {
  TappedEnd,
  TappedHandshake,
  TappedPlace,
  TappedSession,
  TappedTunnel,
  TappedTunnelEnd,
} from '../../telemetry/tap/tap.ts';
import { OPCODE_CLOSE, OPCODE_PING, OPCODE_PONG } from '../../wire/frames/opcodes.ts';
import type { HandshakeSecrets } from '../../wire/redaction/handshake-secrets.ts';

/** The sender of a frame, as part of its line. */
export const FROM_CLIENT = '"from":"client"';
export const FROM_ENDPOINT = '"from":"endpoint"';
export const TO_CLIENT = '"from":"proxy","to":"client"';
export const TO_ENDPOINT = '"from":"proxy","to":"endpoint"';

const FIN = 0x80;
/** Names of the opcodes, by number. */
const OPCODES: readonly string[] = Array.from({ length: 16 }, (_, opcode) => opcodeName(opcode));

function opcodeName(opcode: number): string {
  switch (opcode) {
    case OPCODE_CLOSE:
      return 'close';
    case OPCODE_PING:
      return 'ping';
    case OPCODE_PONG:
      return 'pong';
    default:
      return ['continuation', 'text', 'binary'][opcode] ?? `reserved${opcode}`;
  }
}

/**
 * Returns the first line of a session, from after its `at`.
 *
 * @param id as in `GET /sessions`
 * @param secrets removes the secrets from the handshake
 */
export function sessionLine(session: TappedSession, id: string, secrets: HandshakeSecrets): string {
  const { route, principal, extensions, handshake } = session;
  let line = placeFields(session, id, handshake === null);
  line += `,"route":${JSON.stringify(route)},"principal":${JSON.stringify(principal)}`;
  if (extensions !== '') line += `,"extensions":${JSON.stringify(extensions)}`;
  if (handshake !== null) {
    const { target, headers, subprotocol } = secrets.cut(decoded(handshake));
    line += `,"request":${JSON.stringify({ target, headers })}`;
    if (subprotocol !== '') line += `,"subprotocol":${JSON.stringify(subprotocol)}`;
  }
  return `${line}}\n`;
}

/** Decodes a handshake's bytes as UTF-8, in the same way as redaction rules and a replay. */
function decoded({ target, headers, subprotocol }: TappedHandshake): Parameters<HandshakeSecrets['cut']>[0] {
  return {
    target: fromByteText(target),
    headers: Array.from(headers, ([name, value]) => [name, fromByteText(value)] as const),
    subprotocol,
  };
}

/** Returns the first line of a tunnel, from after its `at`. */
export function tunnelLine(tunnel: TappedTunnel, id: string, isAttached: boolean): string {
  const { serverName } = tunnel;
  const line = placeFields(tunnel, id, isAttached);
  return serverName === null ? `${line}}\n` : `${line},"serverName":${JSON.stringify(serverName)}}\n`;
}

function placeFields(place: TappedPlace, id: string, isAttached: boolean): string {
  const { listener, cluster, endpoint, client, openedAt } = place;
  const fields = JSON.stringify({ openedAt, listener, cluster, endpoint, client }).slice(1, -1);
  return `,"session":"${id}"${isAttached ? ',"attached":true' : ''},${fields}`;
}

/** Returns the start of a first line, up to its `at`. */
export function lineStart(type: 'session' | 'tunnel', at: string): string {
  return `{"type":"${type}","at":${at}`;
}

/**
 * Returns a frame's line up to its payload, without the end of the line.
 *
 * @param sender one of the constants of this file
 * @param first the frame's first byte
 * @param size bytes of the whole message; -1 to omit it
 * @param code a close frame's code; -1 without one
 */
export function frameStart(
  id: string,
  at: string,
  sender: string,
  first: number,
  isCompressed: boolean,
  length: number,
  size: number,
  code: number,
): string {
  let line = `{"type":"frame","at":${at},"session":"${id}",${sender},"opcode":"${OPCODES[first & 0x0f]!}"`;
  if ((first & FIN) === 0) line += ',"fin":false';
  if (isCompressed) line += ',"compressed":true';
  line += `,"length":${length}`;
  if (code >= 0) line += `,"code":${code}`;
  if (size >= 0 && size !== length) line += `,"size":${size}`;
  return line;
}

/** Returns the line of a tunnel's read. */
export function bytesLine(id: string, at: string, sender: string, length: number): string {
  return `{"type":"bytes","at":${at},"session":"${id}",${sender},"length":${length}}\n`;
}

/** Returns the last line of a session. @param reason omitted if undefined */
export function endLine(id: string, at: string, end: TappedEnd, reason: string | undefined): string {
  const { side, code, seconds, messagesUpstream, messagesDownstream, bytesUpstream, bytesDownstream } = end;
  const facts = { side, code, reason, seconds: rounded(seconds) };
  const counts = { messagesUpstream, messagesDownstream, bytesUpstream, bytesDownstream };
  return lastLine(id, at, { ...facts, ...counts });
}

/** Returns the last line of a tunnel. */
export function tunnelEndLine(id: string, at: string, end: TappedTunnelEnd): string {
  const { reason, seconds, bytesUpstream, bytesDownstream } = end;
  return lastLine(id, at, { reason, seconds: rounded(seconds), bytesUpstream, bytesDownstream });
}

function lastLine(id: string, at: string, fields: object): string {
  return `{"type":"end","at":${at},"session":"${id}",${JSON.stringify(fields).slice(1)}\n`;
}

/** Rounds to thousandths: seconds to milliseconds, milliseconds to microseconds. */
export function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}
