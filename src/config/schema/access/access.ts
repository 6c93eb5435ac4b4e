/** Reads the key `access` of a listener or a route: its access rules. */
import type { Context } from '../../syntax/context.ts';
import { below } from '../../syntax/hints/elsewhere.ts';
import type { Section } from '../../syntax/section.ts';
import type { AccessSettings } from '../../types/access.ts';
import { readAllow, readDeny } from './address-lists.ts';
import { readBasic } from './basic.ts';
import { FORWARD_AUTH_KEYS, readForwardAuth } from './forward-auth.ts';
import { JWT_KEYS, readJwt } from './jwt/jwt.ts';
import { readOrigins } from './origins.ts';
import { warnOfAccess } from './warnings.ts';

export const ADDRESS_KEYS = ['deny', 'allow'];
const REQUEST_KEYS = ['origins', 'originRequired', 'basic', 'jwt', 'forwardAuth'];
export const ACCESS_KEYS = [...ADDRESS_KEYS, ...REQUEST_KEYS];
const L7 = {
  what: '"access"',
  keys: ACCESS_KEYS,
  elsewhere: [below('jwt', JWT_KEYS), below('forwardAuth', FORWARD_AUTH_KEYS)],
};
const L4 = {
  what: 'the access of a listener of mode l4',
  keys: ADDRESS_KEYS,
  notes: Object.fromEntries(
    REQUEST_KEYS.map((key) => [key, `"${key}" looks at requests, which a listener of mode l4 does not see`]),
  ),
};
/** Settings of a listener without the key. */
export const OPEN: AccessSettings = {
  deny: [],
  allow: null,
  origins: null,
  basic: null,
  jwt: null,
  forwardAuth: null,
};

/** The owner and surroundings of the key. */
interface AccessPlace {
  /** The listener or route. */
  readonly section: Section;
  readonly mode: 'l4' | 'l7';
  /** Settings of the listener around a route. Null if it admits everyone, and for a listener. */
  readonly inherited: AccessSettings | null;
  /**
   * Whether others on the network can read what clients send: neither this listener nor a proxy in front has
   * TLS.
   */
  readonly isExposed: boolean;
}

/**
 * Reads the optional key. A key inside it replaces the inherited one, and `off` removes it.
 *
 * @returns null if everyone is admitted
 */
export function readAccess(place: AccessPlace, context: Context): AccessSettings | null {
  const { section: owner, mode, inherited } = place;
  if (!owner.has('access')) return inherited;
  if (owner.isOff('access')) return null;
  const section = owner.settings('access', mode === 'l4' ? L4 : L7);
  const base = inherited ?? OPEN;
  const addresses = {
    deny: replace(section, 'deny', base.deny, [], () => readDeny(section, context)),
    allow: replace(section, 'allow', base.allow, null, () => readAllow(section, context)),
  };
  const settings: AccessSettings =
    mode === 'l4'
      ? { ...base, ...addresses }
      : {
          ...addresses,
          origins: readOrigins(section, base.origins),
          basic: replace(section, 'basic', base.basic, null, () => readBasic(section, context.base)),
          jwt: replace(section, 'jwt', base.jwt, null, () => readJwt(section, context.base)),
          forwardAuth: replace(section, 'forwardAuth', base.forwardAuth, null, () =>
            readForwardAuth(section),
          ),
        };
  warnOfAccess(section, settings, place.isExposed);
  return isOpen(settings) ? null : settings;
}

/**
 * Reads the optional key of a listener. Reuses the object of the previous load if the settings are equal.
 *
 * @param name the listener's name
 */
export function readListenerAccess(
  listener: Section,
  name: string,
  place: Omit<AccessPlace, 'section' | 'inherited'>,
  context: Context,
): AccessSettings | null {
  const { items, blockLists } = context;
  const read = readAccess({ ...place, section: listener, inherited: null }, context);
  const access = items.sameAccess(name, read);
  for (const key of ['deny', 'allow'] as const) {
    const sources = blockLists.get(read?.[key] ?? []);
    const blocks = access?.[key] ?? null;
    if (sources !== undefined && blocks !== null) blockLists.set(blocks, sources);
  }
  return access;
}

function replace<T>(section: Section, key: string, inherited: T, none: T, read: () => T): T {
  if (!section.has(key)) return inherited;
  return section.isOff(key) ? none : read();
}

function isOpen({ deny, allow, origins, basic, jwt, forwardAuth }: AccessSettings): boolean {
  return deny.length === 0 && [allow, origins, basic, jwt, forwardAuth].every((each) => each === null);
}
