import { isDeepStrictEqual } from 'node:util';
import type { AccessSettings } from '../../config/types/access.ts';
import type { Config } from '../../config/types/config.ts';
import type { Listener } from '../../config/types/listener.ts';
import type { Route } from '../../config/types/route.ts';
import type { Slices } from '../../core/timing/slices.ts';
import { routesOf } from '../../protocol/config-change.ts';

/** A part of a configuration that has a name of its own within its list. */
interface Named {
  readonly name: string;
}

/** Access settings of one listener. Its routes may inherit them, or parts of them. */
interface AccessChange {
  readonly before: AccessSettings | null;
  /** As they were read. */
  readonly read: AccessSettings | null;
  /** With the parts of `before` that are equal; the object `before` if all are. */
  readonly kept: AccessSettings | null;
}

/**
 * Puts the clusters and routes of the configuration in use in the place of equal ones in the next configuration. From then on
 * everything tells by identity what changes, and the next configuration takes memory for what is new. The same holds for
 * each part of the access settings of listeners, because thousands of routes may share lists of thousands of addresses, and
 * for lists of proxies, which workers compile once for each object.
 *
 * @param slices divides the work: a thread needs 10 ms to compare 10,000 endpoints
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

/** Returns settings with the parts of the settings in use that are equal; those in use if all parts are equal. */
function keptSettings(read: AccessSettings | null, before: AccessSettings | null): AccessSettings | null {
  if (read === null || before === null) return read;
  const equal = partsOf(read).filter((part) => isDeepStrictEqual(read[part], before[part]));
  if (equal.length === partsOf(before).length) return before;
  return { ...read, ...Object.fromEntries(equal.map((part) => [part, before[part]])) };
}

/** Returns a route's access settings, with what they inherit as the objects that are kept. */
function keptAccess(access: AccessSettings | null, { read, kept }: AccessChange): AccessSettings | null {
  if (access === read || access === kept) return kept;
  if (access === null || read === null || kept === null) return access;
  const parts = partsOf(access).filter((part) => access[part] === read[part] && kept[part] !== read[part]);
  if (parts.length === 0) return access;
  return { ...access, ...Object.fromEntries(parts.map((part) => [part, kept[part]])) };
}

/** Whether two routes inherit a part of settings that differs, as is known: to compare lists again would take long. */
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

/** @param isSame tells whether a part of the configuration in use is equal to the next one */
async function keptOf<Part extends Named>(
  next: readonly Part[],
  current: readonly Part[],
  slices: Pick<Slices, 'isOver' | 'next'>,
  isSame: (one: Part, other: Part) => boolean = isDeepStrictEqual,
): Promise<Part[]> {
  let known: ReadonlyMap<string, Part> | null = null;
  const kept: Part[] = [];
  for (const [index, part] of next.entries()) {
    // Most parts have not been read again, and stand where they stood.
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
