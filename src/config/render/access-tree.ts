/** Renders the key `access` of listeners and routes. */
import { isDeepStrictEqual } from 'node:util';
import { formatDuration } from '../../core/units/duration.ts';
import { OPEN } from '../schema/access/access.ts';
import type {
  AccessSettings,
  BasicSettings,
  ForwardAuthSettings,
  JwtSettings,
  OriginPattern,
  OriginSettings,
} from '../types/access.ts';
import { orOff, without, type BlockLists, type Tree } from './tree.ts';

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

/** Renders the settings of a listener. Returns null if they admit everyone. */
export function accessTree(access: AccessSettings | null, lists: BlockLists): Tree | null {
  return access === null ? null : differences(access, OPEN, lists);
}

/** Renders the settings of a route that differ from its listener's. Returns null if none do. */
export function routeAccessTree(
  access: AccessSettings | null,
  listener: AccessSettings | null,
  lists: BlockLists,
): Tree | 'off' | null {
  if (access === null) return listener === null ? null : 'off';
  const tree = differences(access, listener ?? OPEN, lists);
  return Object.keys(tree).length === 0 ? null : tree;
}

/** Renders the keys that differ from `from`. Names files instead of secrets. */
function differences(access: AccessSettings, from: AccessSettings, lists: BlockLists): Tree {
  const { deny, allow, origins, basic, jwt, forwardAuth } = access;
  return {
    ...(differs(deny, from.deny) && { deny: deny.length === 0 ? 'off' : (lists.get(deny) ?? deny) }),
    ...(differs(allow, from.allow) && { allow: orOff(allow, (blocks) => lists.get(blocks) ?? blocks) }),
    ...(differs(origins, from.origins) && originsTree(origins)),
    ...(differs(basic, from.basic) && { basic: orOff(basic, basicTree) }),
    ...(differs(jwt, from.jwt) && { jwt: orOff(jwt, jwtTree) }),
    ...(differs(forwardAuth, from.forwardAuth) && { forwardAuth: orOff(forwardAuth, forwardAuthTree) }),
  };
}

function differs(a: unknown, b: unknown): boolean {
  return !isDeepStrictEqual(a, b);
}

function originsTree(origins: OriginSettings | null): Tree {
  if (origins === null) return { origins: 'off' };
  const { allowsSelf, allowsNull, patterns, isRequired } = origins;
  return {
    origins: [...(allowsSelf ? ['self'] : []), ...(allowsNull ? ['null'] : []), ...patterns.map(originText)],
    originRequired: isRequired,
  };
}

function originText({ scheme, host, port }: OriginPattern): string {
  const usual = DEFAULT_PORTS[scheme] ?? null;
  if (port === usual) return `${scheme}://${host}`;
  return `${scheme}://${host}:${port ?? '*'}`;
}

function basicTree({ file, realm }: BasicSettings): Tree {
  return { file, realm };
}

function jwtTree(jwt: JwtSettings): Tree {
  const { keys, algorithms, issuers, audiences, from, requiredClaims, forward, atExpiry } = jwt;
  return without({
    keys: keys.kind === 'url' ? keys.url : keys.file,
    algorithms,
    issuer: issuers.length === 0 ? null : issuers,
    audience: audiences.length === 0 ? null : audiences,
    from: from.map(({ kind, name }) => ({ [kind]: name })),
    require: requiredClaims.size === 0 ? null : requiredClaims,
    forward: forward.size === 0 ? null : forward,
    atExpiry,
    // The loader refuses this key if sessions outlive their tokens.
    grace: atExpiry === 'ignore' ? null : formatDuration(jwt.graceMs),
    leeway: formatDuration(jwt.leewayMs),
  });
}

function forwardAuthTree(settings: ForwardAuthSettings): Tree {
  const { url, headers, timeoutMs, maxConcurrent, onFailure } = settings;
  return { url, headers, timeout: formatDuration(timeoutMs), maxConcurrent, onFailure };
}
