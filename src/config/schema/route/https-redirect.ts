/** Makes the last route of a listener with the key `redirectToHttps`. */
import { described, type FormatDescription } from '../../syntax/format-description.ts';
import { FormatError, describe, type Format } from '../../syntax/formats.ts';
import type { Located, Section } from '../../syntax/section.ts';
import type { AccessSettings } from '../../types/access.ts';
import type { Route } from '../../types/route.ts';
import { TARGET_KEYS } from '../target/target.ts';
import { NO_PAGES } from './error-pages.ts';
import { NO_CHANGES } from './route-headers.ts';
import { MATCH_ALL } from './route-match.ts';

const KEY = 'redirectToHttps';
/** Name of the route in metrics and logs. */
const ROUTE = 'redirect-to-https';
/** The port of https, which URLs leave out. */
const USUAL_PORT = 443;
const MAX_PORT = 65_535;

const FORMS: FormatDescription = {
  type: 'either',
  of: [{ type: 'boolean' }, { type: 'integer', min: 1, max: MAX_PORT }],
};

/** A toggle, or the port of the listener with TLS. Null for false. */
const httpsPort: Format<number | null> = described(FORMS, (value) => {
  if (typeof value === 'boolean') return value ? USUAL_PORT : null;
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= MAX_PORT) return value;
  throw new FormatError(
    `${describe(value)} is not true or a port: write true, or the port of the listener with tls`,
  );
});

/**
 * Reads the key `redirectToHttps`. Returns a route that redirects every request. Null if the key is missing,
 * false or invalid.
 *
 * @param access the listener's settings
 */
export function readHttpsRedirect(listener: Section, access: AccessSettings | null): Located<Route> | null {
  const port = listener.optional(KEY, httpsPort, null);
  if (port === null) return null;
  if (listener.has('tls')) {
    listener.problemAt(
      KEY,
      'this listener has TLS: write redirectToHttps at the listener of plain HTTP, without tls',
    );
  }
  const other = TARGET_KEYS.find((key) => listener.has(key));
  if (other !== undefined) {
    listener.problemAt(KEY, `"${other}" already takes every request that no route takes: keep one of them`);
  }
  const host = port === USUAL_PORT ? '$host' : `$host:${port}`;
  const value: Route = {
    name: ROUTE,
    match: MATCH_ALL,
    action: { kind: 'redirect', to: `https://${host}$path$query`, status: 308 },
    headers: { request: NO_CHANGES, response: NO_CHANGES },
    access,
    limits: [],
    errorPages: NO_PAGES,
  };
  return { path: [...listener.path, KEY], value };
}
