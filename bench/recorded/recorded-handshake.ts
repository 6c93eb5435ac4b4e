import { isToken, SUBPROTOCOL } from '../../src/core/tokens.ts';
import type { SessionRecord } from '../../src/wire/recording/records.ts';
import { hasControlCharacter } from '../../src/wire/http/field-value.ts';
import { trimOws } from '../../src/wire/http/request-head.ts';
import { CUT } from '../../src/wire/redaction/handshake-secrets.ts';

/** The opening handshake of a recorded client, as far as it can be played. */
export interface RecordedHandshake {
  /** Path and query. */
  readonly path: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly subprotocols: readonly string[];
}

/** Headers that belong to the recorded connection (RFC 9110 section 7.6.1), or that the handshake makes itself. */
const OWN_HEADERS =
  /^(?:host|upgrade|connection|keep-alive|te|trailer|transfer-encoding|content-length|expect|proxy-.*|http2-settings|sec-websocket-.*)$/i;
const UNSAFE_PATH = /[\u0000-\u0020\u007f]/;

/**
 * Reads the handshake of a recorded client. Values that were cut are left out.
 *
 * @param cut gets the names of the headers and query parameters that were cut
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

/** Returns path and query of a request's target without parameters that were cut. */
function readPath(target: string, cut: Set<string>): string {
  if (!target.startsWith('/') || UNSAFE_PATH.test(target)) return '/';
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  // A part of a path cannot be left out: the rest would be another path.
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
