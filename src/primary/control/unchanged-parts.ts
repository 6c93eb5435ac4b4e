import { isDeepStrictEqual } from 'node:util';
import type { AccessSettings } from '../../config/types/access.ts';
import type { Config } from '../../config/types/config.ts';
import type { Listener } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import type { Slices } from '../../core/timing/slices.ts';
import { routesOf } from '../../protocol/config-change.ts';

/** A part of a configuration with a unique name in its list. */
interface Named {
  readonly name: string;
}

/** Access settings of one listener. Its routes may inherit all or some of them. */
interface AccessChange {
  readonly before: AccessSettings | null;
  /** Settings as they were read. */
  readonly read: AccessSettings | null;
  /** Settings with the equal parts of `before`. The object `before` if all parts are equal. */
  readonly kept: AccessSettings | null;
}

/**
 * Replaces clusters and routes of the next configuration by equal objects of the current one. After that,
 * identity shows what has changed, and the next configuration needs memory only for what is new.
 *
 * The same applies to each part of listeners' access settings, because thousands of routes may share lists of
 * thousands of addresses. It also applies to lists of proxies, which workers compile once per object.
 *
 * @param slices divides the work: comparing 10,000 endpoints takes a thread 10 ms
 * @returns a configuration that is equal to `next`
 */
export async function keepUnchanged(
  next: Config,
  current: Config,
  slices: Pick<Slices, 'isOver' | 'next'>,
): Promise<Config> {
  const known = new Map(current.listeners.map((listener) => [listener.name, listener]));
  const clusters = await keptOf(next.clusters, current.clusters, slices);
  const listeners: Listener[] = [];
  for (const listener of next.listeners) {
    listeners.push(await keptListener(listener, known.get(listener.name) ?? null, slices));
  }
  return { ...next, clusters, listeners };
}

async function keptListener(
  listener: Listener,
  current: Listener | null,
  slices: Pick<Slices, 'isOver' | 'next'>,
): Promise<Listener> {
  if (current === null) return listener;
  const { access: read } = listener;
  const { access: before } = current;
  const kept = keptSettings(read, before);
  const trustedProxies = isDeepStrictEqual(current.trustedProxies, listener.trustedProxies)
    ? current.trustedProxies
    : listener.trustedProxies;
  if (listener.mode !== 'l7') return { ...listener, access: kept, trustedProxies };
  const change: AccessChange = { before, read, kept };
  const routes =
    kept === read
      ? listener.routes
      : listener.routes.map((route) => {
          const own = keptAccess(route.access, change);
          return own === route.access ? route : { ...route, access: own };
        });
  const isSame = (one: Route, other: Route): boolean =>
    !inheritOthers(one.access, other.access, change) && isDeepStrictEqual(one, other);
  const keptRoutes = await keptOf(routes, routesOf(current).routes, slices, isSame);
  return { ...listener, access: kept, trustedProxies, routes: keptRoutes };
}

/**
 * Replaces equal parts by the current settings' parts. Returns the current settings if all parts are equal.
 */
function keptSettings(read: AccessSettings | null, before: AccessSettings | null): AccessSettings | null {
  if (read === null || before === null) return read;
  const equal = partsOf(read).filter((part) => isDeepStrictEqual(read[part], before[part]));
  if (equal.length === partsOf(before).length) return before;
  return { ...read, ...Object.fromEntries(equal.map((part) => [part, before[part]])) };
}

/** Replaces the inherited parts of a route's access settings by the kept objects. */
function keptAccess(access: AccessSettings | null, { read, kept }: AccessChange): AccessSettings | null {
  if (access === read || access === kept) return kept;
  if (access === null || read === null || kept === null) return access;
  const parts = partsOf(access).filter((part) => access[part] === read[part] && kept[part] !== read[part]);
  if (parts.length === 0) return access;
  return { ...access, ...Object.fromEntries(parts.map((part) => [part, kept[part]])) };
}

/**
 * Whether two routes inherit a part that is known to differ. This avoids another slow comparison of lists.
 */
function inheritOthers(
  one: AccessSettings | null,
  other: AccessSettings | null,
  { before, kept }: AccessChange,
): boolean {
  if (one === null || other === null || before === null || kept === null || before === kept) return false;
  return partsOf(kept).some(
    (part) => before[part] !== kept[part] && one[part] === before[part] && other[part] === kept[part],
  );
}

function partsOf(settings: AccessSettings): readonly (keyof AccessSettings)[] {
  return Object.keys(settings) as (keyof AccessSettings)[];
}

/** @param isSame returns whether a current part equals the next one */
async function keptOf<Part extends Named>(
  next: readonly Part[],
  current: readonly Part[],
  slices: Pick<Slices, 'isOver' | 'next'>,
  isSame: (one: Part, other: Part) => boolean = isDeepStrictEqual,
): Promise<Part[]> {
  let known: ReadonlyMap<string, Part> | null = null;
  const kept: Part[] = [];
  for (const [index, part] of next.entries()) {
    // Most parts were not read again, and have kept their index.
    if (current[index] === part) {
      kept.push(part);
      continue;
    }
    known ??= new Map(current.map((each) => [each.name, each]));
    const same = known.get(part.name);
    kept.push(same !== undefined && isSame(same, part) ? same : part);
    if (slices.isOver()) await slices.next();
  }
  return kept;
}
