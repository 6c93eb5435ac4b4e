import { isToken, SUBPROTOCOL } from '../../src/core/tokens.ts';
import type { SessionRecord } from '../../src/wire/recording/records.ts';
import { hasControlCharacter } from '../../src/wire/http/field-value.ts';
import { trimOws } from '../../src/wire/http/request-head.ts';
import { CUT } from '../../src/wire/redaction/handshake-secrets.ts';

/** The playable parts of a recorded client's opening handshake. */
export interface RecordedHandshake {
  /** Path and query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly subprotocols: readonly string[];
}

/**
 * Headers of the recorded connection only (RFC 9110 section 7.6.1), and headers that the handshake writes
 * itself.
 */
const OWN_HEADERS =
  /^(?:host|upgrade|connection|keep-alive|te|trailer|transfer-encoding|content-length|expect|proxy-.*|http2-settings|sec-websocket-.*)$/i;
const UNSAFE_PATH = /[\u0000-\u0020\u007f]/;

/**
 * Reads the handshake of a recorded client. Omits values whose secrets were cut.
 *
 * @param cut receives the names of the headers and query parameters with such values
 */
export function readHandshake(
  { target, headers }: NonNullable<SessionRecord['request']>,
  cut: Set<string>,
): RecordedHandshake {
  const kept: (readonly [string, string])[] = [];
  const subprotocols: string[] = [];
  for (const [name, value] of headers) {
    if (/^sec-websocket-protocol$/i.test(name)) {
      for (const item of value.split(',').map(trimOws)) {
        if (item.includes(CUT)) cut.add(name.toLowerCase());
        else if (SUBPROTOCOL.test(item)) subprotocols.push(item);
      }
    } else if (OWN_HEADERS.test(name)) {
      continue;
    } else if (value.includes(CUT)) {
      cut.add(name.toLowerCase());
    } else if (isToken(name) && !hasControlCharacter(value)) {
      kept.push([name, value]);
    }
  }
  return { path: readPath(target, cut), headers: kept, subprotocols };
}

/** Returns the path and query of a request target, without parameters whose secrets were cut. */
function readPath(target: string, cut: Set<string>): string {
  if (!target.startsWith('/') || UNSAFE_PATH.test(target)) return '/';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  // Part of a path cannot be omitted: the rest would be another path.
  if (path.includes(CUT)) cut.add('the path');
  if (mark < 0) return path;
  const query = target
    .slice(mark + 1)
    .split('&')
    .filter((parameter) => {
      const isCut = parameter.includes(CUT);
      if (isCut) cut.add(`?${parameter.split('=')[0]!}`);
      return !isCut;
    })
    .join('&');
  return query === '' ? path : `${path}?${query}`;
}
