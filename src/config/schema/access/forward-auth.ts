/** Reads the key `forwardAuth` of access: a server that decides about each request. */
import { duration, integer, oneOf } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { readValue } from '../../syntax/section.ts';
import { httpUrl } from '../../syntax/url.ts';
import type { ForwardAuthSettings } from '../../types/access.ts';
import { forwardable } from './forwardable.ts';

export const FORWARD_AUTH_KEYS = ['url', 'headers', 'timeout', 'maxConcurrent', 'onFailure'];
const SHAPE = {
  what: '"forwardAuth"',
  keys: FORWARD_AUTH_KEYS,
  short: 'url',
};

/** Reads the key. Returns null if its URL is invalid. */
export function readForwardAuth(access: Section): ForwardAuthSettings | null {
  const section = access.section('forwardAuth', SHAPE);
  if (section === null) return null;
  const url = section.required<URL | null>('url', httpUrl('the URL of an authentication server'), null);
  const settings = {
    headers: readHeaders(section),
    timeoutMs: section.optional('timeout', duration({ min: 10, max: 60_000 }), 2000),
    maxConcurrent: section.optional('maxConcurrent', integer({ min: 1, max: 10_000 }), 100),
    onFailure: section.optional('onFailure', oneOf('refuse', 'admit'), 'refuse'),
  };
  if (url === null) return null;
  return { url: url.href, ...settings };
}

/** Reads the optional list of names without duplicates. */
function readHeaders(section: Section): readonly string[] {
  const names = new Set<string>();
  for (const { value, path } of section.anyNumber('headers', "headers' names")) {
    const name = readValue(value, path, section.problems, forwardable, null);
    if (name !== null) names.add(name);
  }
  return [...names];
}
