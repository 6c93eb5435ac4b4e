import type { OriginPattern, OriginSettings } from '../../config/types/access.ts';
import { headerOf, onlyHeaderOf } from '../../wire/http/request-head.ts';
import type { AccessRequest } from '../contract/access-request.ts';
import type { Refused } from '../contract/credential-method.ts';
import { originOf, readOrigin, type Origin } from './origin.ts';

/**
 * Decides by the Origin header which pages may open WebSockets. Browsers send cookies with every upgrade,
 * whichever page requests it, and let the page read all messages (RFC 6455 section 10.2). Scripts cannot set
 * the Origin header, so it alone identifies pages of other sites.
 */
export class OriginRules {
  readonly #settings: OriginSettings;

  constructor(settings: OriginSettings) {
    this.#settings = settings;
  }

  /** Returns why a request is refused. Null admits it. Requests without an upgrade are admitted. */
  refusalOf(request: AccessRequest): Refused | null {
    if (!request.wantsUpgrade) return null;
    const header = onlyHeaderOf(request.head, 'origin');
    if (header === undefined) return this.#settings.isRequired ? refused('the request has no origin') : null;
    if (header === null) return refused('the request has more than one origin');
    if (header === 'null') return this.#settings.allowsNull ? null : NOT_ALLOWED;
    const origin = readOrigin(header);
    if (origin === null) return refused('the origin is malformed');
    return this.#allows(origin, request) ? null : NOT_ALLOWED;
  }

  #allows(origin: Origin, request: AccessRequest): boolean {
    const { patterns, allowsSelf } = this.#settings;
    return patterns.some((pattern) => fits(origin, pattern)) || (allowsSelf && isSelf(origin, request));
  }
}

const NOT_ALLOWED = refused('the origin is not allowed');

function refused(detail: string): Refused {
  return { granted: false, status: 403, reason: 'origin', detail, headers: [], body: null };
}

function fits({ scheme, host, port }: Origin, pattern: OriginPattern): boolean {
  if (scheme !== pattern.scheme || (pattern.port !== null && port !== pattern.port)) return false;
  if (!pattern.host.startsWith('*.')) return host === pattern.host;
  // The suffix begins with a dot and a host begins with a label, so the star matches at least one label.
  return host.endsWith(pattern.host.slice(1));
}

/**
 * Whether the origin equals that of the URL that the client used. A proxy in front may have changed Host, so
 * the host from a trusted proxy takes precedence. X-Forwarded-Port is ignored: many proxies send their inner
 * port there, and clients put every non-default port into Host.
 */
function isSelf(origin: Origin, { head, client }: AccessRequest): boolean {
  const own = originOf(client.secure ? 'https' : 'http', client.report?.host ?? headerOf(head, 'host') ?? '');
  return own !== null && origin.scheme === own.scheme && origin.host === own.host && origin.port === own.port;
}
