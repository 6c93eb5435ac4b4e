/** Reads a route's changes to the headers of requests and responses. */
import type { Format } from '../../syntax/formats.ts';
import { FormatError, anyText, describe, pattern } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { readValue } from '../../syntax/section.ts';
import type { HeaderChanges, RouteHeaders } from '../../types/route.ts';
import { hasTarget } from '../target/target.ts';
import { headerName, readPairs } from './route-match.ts';

const HEADERS = { what: '"headers"', keys: ['request', 'response'] };
const CHANGES = { what: 'the changes to headers', keys: ['set', 'add', 'remove'] };
/** Changes nothing. */
export const NO_CHANGES: HeaderChanges = { set: new Map(), add: new Map(), remove: [] };

/** Headers that frame messages and manage connections. Only the proxy writes them. */
const PROXY_HEADERS =
  /^(?:connection|keep-alive|proxy-connection|te|trailer|transfer-encoding|content-length|upgrade|expect|date|sec-websocket-(?:key|version|extensions|accept|protocol))$/;

const changeable: Format<string> = (value) => {
  const name = headerName(value);
  if (PROXY_HEADERS.test(name))
    throw new FormatError(`${describe(name)} is written by the proxy itself: leave it out`);
  if (name === 'host') throw new FormatError('"host" cannot be changed here: use rewrite.host');
  return name;
};
const addable: Format<string> = (value) => {
  const name = changeable(value);
  if (name !== 'x-request-id') return name;
  throw new FormatError('"x-request-id" is always there: use set, which replaces it');
};
/** A field value: visible ASCII, with spaces and tabs only inside (RFC 9110 section 5.5). */
const visible = pattern(
  /^[!-~](?:[\t -~]*[!-~])?$/,
  "a header's value",
  'write visible ASCII characters, without spaces at its ends',
);
const headerValue: Format<string> = (value) =>
  value === '' ? '' : visible(anyText("a header's value")(value));

/** Reads the optional key `headers`. */
export function readRouteHeaders(route: Section): RouteHeaders {
  const section = route.section('headers', HEADERS);
  if (section === null) return { request: NO_CHANGES, response: NO_CHANGES };
  if (section.has('request') && !hasTarget(route)) {
    section.problems.keyError(
      [...section.path, 'request'],
      'request changes what goes to a cluster: this route has none',
    );
  }
  return { request: readChanges(section, 'request'), response: readChanges(section, 'response') };
}

function readChanges(headers: Section, key: string): HeaderChanges {
  const section = headers.section(key, CHANGES);
  if (section === null) return NO_CHANGES;
  const remove: string[] = [];
  for (const { value, path } of section.anyNumber('remove', "headers' names")) {
    const name = readValue(value, path, section.problems, changeable, null);
    if (name !== null) remove.push(name);
  }
  return {
    set: readPairs(section, 'set', changeable, headerValue),
    add: readPairs(section, 'add', addable, headerValue),
    remove,
  };
}
