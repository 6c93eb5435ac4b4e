/** Names clusters that are written at the place of their use, by that place. */
import { createHash } from 'node:crypto';
import type { RouteMatch } from '../../types/route.ts';

/** Where a cluster without a name is written. */
export interface Place {
  /** Name of the listener. */
  readonly listener: string;
  /** The name that the file gives to the route. Null for other routes and places. */
  readonly route: string | null;
  /** Name of the cluster. It stays the same while its endpoints change. */
  readonly cluster: string;
}

/** A readable text for what a place serves. */
interface Label {
  readonly text: string;
  /** Identifies the place if another place of its listener may have the same text. Null if none can. */
  readonly identity: string | null;
}

/** Max characters of a cluster's name. */
const MAX_NAME_CHARACTERS = 63;
/** Hex digits of a digest: 10,000 places with one text have different digests. */
const DIGEST_DIGITS = 10;
/** A host name of two or more labels. A single label could be a segment of a path. */
const PLAIN_HOST = /^(?=.*\.)(?!.*--)[a-z\d_]+(?:[.-][a-z\d_]+)*$/;
/** A path without a dot, which begins the second label of a host. */
const PLAIN_PATH = /^(?!.*--)(?:\/\w+(?:-\w+)*)+$/;
/** Separates the segments of a path. A plain segment has no such text. */
const SEPARATOR = '--';

/** The listener's own place, behind its routes and rules. Null if the listener has no valid name. */
export function placeOfListener(listener: string): Place | null {
  return listener === '' ? null : { listener, route: null, cluster: listener };
}

/**
 * The place of a route. Its position is no part of the name, because other routes may come and go before it.
 *
 * @param route the name that the file gives to the route; null for none
 */
export function placeOfRoute(listener: string, route: string | null, match: RouteMatch): Place {
  const label = route === null ? labelOfMatch(match) : { text: route, identity: null };
  return { listener, route, cluster: nameOf(listener, label) };
}

/** The place of a rule of `passthrough`. @param serverNames at least one */
export function placeOfRule(listener: string, serverNames: readonly string[]): Place {
  const sorted = serverNames.toSorted();
  const [first = '', ...others] = sorted;
  const isPlain = others.length === 0 && PLAIN_HOST.test(first);
  const identity = isPlain ? null : `passthrough ${sorted.join(' ')}`;
  return { listener, route: null, cluster: nameOf(listener, { text: first, identity }) };
}

function nameOf(listener: string, { text, identity }: Label): string {
  const words =
    identity === null
      ? text.replace(/^\//, '').replaceAll('/', SEPARATOR)
      : text.replaceAll(/[^\w.]+/g, '-').replaceAll(/^[.-]+|[.-]+$/g, '');
  const name = words === '' ? listener : `${listener}-${words}`;
  if (identity === null && name.length <= MAX_NAME_CHARACTERS) return name;
  const digest = createHash('sha256')
    .update(JSON.stringify([listener, identity ?? text]))
    .digest('hex')
    .slice(0, DIGEST_DIGITS);
  const start = name.slice(0, MAX_NAME_CHARACTERS - DIGEST_DIGITS - 1).replace(/[.-]+$/, '');
  return `${start}-${digest}`;
}

function labelOfMatch(match: RouteMatch): Label {
  const { path, pathPrefix, pathRegex, headers, query, subprotocol, clientCertificate } = match;
  const hosts = match.hosts.toSorted();
  const [host = ''] = hosts;
  const prefix = pathPrefix === '/' ? '' : (pathPrefix ?? '');
  const others = [
    ...sortedNames(headers),
    ...sortedNames(query),
    ...(subprotocol === null ? [] : [subprotocol]),
  ];
  const isPlain =
    hosts.length < 2 &&
    (host === '' || PLAIN_HOST.test(host)) &&
    (prefix === '' || PLAIN_PATH.test(prefix)) &&
    path === null &&
    pathRegex === null &&
    clientCertificate === null &&
    others.length === 0;
  if (isPlain) return { text: `${host}${prefix}`, identity: null };
  const way = path ?? (prefix === '' ? (pathRegex ?? '') : prefix);
  const text = [`${host}${way}`, ...others].filter((part) => part !== '').join('-');
  const sorted = (pairs: ReadonlyMap<string, string>): unknown =>
    sortedNames(pairs).map((name) => [name, pairs.get(name)]);
  const identity = JSON.stringify([
    hosts,
    [path, prefix, pathRegex, subprotocol],
    [sorted(headers), sorted(query)],
    clientCertificate,
  ]);
  return { text, identity };
}

function sortedNames(pairs: ReadonlyMap<string, string>): readonly string[] {
  return [...pairs.keys()].toSorted();
}
