/** Warns of access settings that are valid but probably not intended. */
import { BlockList, isIPv6 } from 'node:net';
import type { Section } from '../../syntax/section.ts';
import type { AccessSettings } from '../../types/access.ts';
import type { Route } from '../../types/route.ts';

/**
 * Max comparisons of blocks. Longer lists come from tools, and comparing all their blocks would take seconds.
 */
const MAX_COMPARISONS = 10_000;
const ALL_ADDRESSES = ['0.0.0.0/0', '::/0'];

/**
 * Warns of the settings in one key `access`. Inherited settings get their warnings at their own place.
 *
 * @param isExposed whether others on the network can read what clients send
 */
export function warnOfAccess(access: Section, settings: AccessSettings, isExposed: boolean): void {
  warnOfLockout(access, settings);
  warnOfSharedHeader(access, settings);
  warnOfUnboundTokens(access, settings);
  if (isExposed) warnOfClearText(access, settings);
}

/**
 * Warns if browsers send the credential automatically and any page may open WebSockets: a foreign page can
 * then act as its visitor.
 *
 * @param listener its own access applies to routes without one
 */
export function warnOfOpenOrigins(listener: Section, routes: readonly Route[]): void {
  const raw = listener.raw('routes');
  for (const [index, { access, action }] of routes.entries()) {
    const opens = action.kind === 'cluster' && action.upgrade !== 'never';
    if (!opens || access?.origins !== null || !isAmbient(access)) continue;
    const own = Array.isArray(raw) ? (raw[index] as unknown) : null;
    const path = own instanceof Map && own.has('access') ? ['routes', index, 'access'] : ['access'];
    listener.problems.warning(
      [...listener.path, ...path],
      'browsers send passwords and cookies even with WebSockets opened by pages of other sites: list the allowed sites in "origins"',
    );
  }
}

/** Whether browsers send the credential without the page's involvement. */
function isAmbient({ basic, jwt, forwardAuth }: AccessSettings): boolean {
  // The server of forwardAuth gets the cookies.
  if (basic !== null || forwardAuth !== null) return true;
  return jwt?.from.some(({ kind }) => kind === 'cookie') ?? false;
}

function warnOfLockout(access: Section, { deny, allow }: AccessSettings): void {
  if (!access.has('deny') && !access.has('allow')) return;
  const path = [...access.path, access.has('allow') ? 'allow' : 'deny'];
  if (allow?.length === 0) {
    access.problems.warning(
      path,
      'the files of allow contain no block, so every client is refused: add at least one',
    );
  } else if (coversAll(deny, allow ?? ALL_ADDRESSES)) {
    const what = allow === null ? 'every address' : 'every block of allow and takes precedence';
    access.problems.warning(path, `deny contains ${what}, so every client is refused: narrow it`);
  }
}

/** Warns if passwords and tokens need the same header, which carries only one. */
function warnOfSharedHeader(access: Section, { basic, jwt }: AccessSettings): void {
  const key = access.has('jwt') ? 'jwt' : 'basic';
  if (!access.has(key) || basic === null || jwt === null) return;
  if (!jwt.from.every(({ kind, name }) => kind === 'header' && name === 'authorization')) return;
  access.problems.warning(
    [...access.path, key],
    'basic and jwt both use the header Authorization, and every method must pass, so every client is refused: ' +
      'leave one of them out, or name another place in jwt.from',
  );
}

/** Whether each block lies within one block of another list. False if there are too many to compare. */
function coversAll(covers: readonly string[], blocks: readonly string[]): boolean {
  if (covers.length === 0 || covers.length * blocks.length > MAX_COMPARISONS) return false;
  const parsed = covers.map(parse);
  return blocks
    .map(parse)
    .every((block) =>
      parsed.some(({ bits, list }) => bits <= block.bits && list.check(block.address, block.family)),
    );
}

interface Block {
  readonly address: string;
  readonly family: 'ipv4' | 'ipv6';
  /** Prefix length of an IPv6 address. IPv4 addresses count as mapped ones. */
  readonly bits: number;
  readonly list: BlockList;
}

function parse(block: string): Block {
  const [address = '', prefix] = block.split('/');
  const isWide = isIPv6(address);
  const family = isWide ? 'ipv6' : 'ipv4';
  const length = prefix === undefined ? (isWide ? 128 : 32) : Number(prefix);
  const list = new BlockList();
  list.addSubnet(address, length, family);
  return { address, family, bits: length + (isWide ? 0 : 96), list };
}

function warnOfUnboundTokens(access: Section, { jwt }: AccessSettings): void {
  if (!access.has('jwt') || jwt === null) return;
  const missing = [
    ...(jwt.issuers.length === 0 ? ['issuer'] : []),
    ...(jwt.audiences.length === 0 ? ['audience'] : []),
  ];
  if (missing.length === 0) return;
  const names = missing.join(' and ');
  access.problems.warning(
    [...access.path, 'jwt'],
    `without ${names} every token signed by these keys is accepted, even one for another application: set ${names}`,
  );
}

function warnOfClearText(access: Section, { basic, jwt }: AccessSettings): void {
  for (const [key, what] of [
    ['basic', 'passwords'],
    ['jwt', 'tokens'],
  ] as const) {
    if (!access.has(key) || (key === 'basic' ? basic : jwt) === null) continue;
    access.problems.warning(
      [...access.path, key],
      `${what} cross the network unencrypted, because this listener has no tls: set tls, or list the TLS proxy in front in ` +
        'trustedProxies',
    );
  }
}
