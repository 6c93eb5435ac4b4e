import type { OriginPattern, OriginSettings } from '../../config/types/access.ts';
import { headerOf, onlyHeaderOf } from '../../wire/http/request-head.ts';
import type { AccessRequest } from '../contract/access-request.ts';
import type { Refused } from '../contract/credential-method.ts';
import { originOf, readOrigin, type Origin } from './origin.ts';

/**
 * Decides by the Origin header which pages may open WebSockets. Browsers send cookies with every upgrade,
 * whatever page asks for it, and let the page read all messages (RFC 6455 section 10.2). Only the Origin
 * header, which scripts cannot set, tells the pages of other sites from one's own.
 */
export class OriginRules {
  readonly #settings: OriginSettings;

  constructor(settings: OriginSettings) {
    this.#settings = settings;
  }

  /** Returns why a request is refused; null to let it in. Requests that are no upgrades are let in. */
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
  // The suffix begins with the dot, and a host begins with a label: something stands in place of the star.
  return host.endsWith(pattern.host.slice(1));
}

/**
 * Whether an origin is the one of the URL that the client has used. A proxy in front may have changed Host,
 * so the host that a trusted proxy tells counts first. X-Forwarded-Port does not count: many proxies write
 * their inner port there, and a client writes every port into Host that is not the default.
 */
function isSelf(origin: Origin, { head, client }: AccessRequest): boolean {
  const own = originOf(client.secure ? 'https' : 'http', client.told?.host ?? headerOf(head, 'host') ?? '');
  return own !== null && origin.scheme === own.scheme && origin.host === own.host && origin.port === own.port;
}
