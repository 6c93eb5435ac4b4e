/**
 * Checks headers that endpoints get from credentials. They are removed from every request of the listener
 * first, so no other setting can use them.
 */
import type { Section } from '../../syntax/section.ts';
import type { Path } from '../../syntax/source-file.ts';
import type { AccessSettings } from '../../types/access.ts';
import type { LimitSettings } from '../../types/limits.ts';
import type { Route } from '../../types/route.ts';

/** The parts of a listener or route that the checks need. */
interface Owner {
  readonly path: Path;
  readonly access: AccessSettings | null;
  readonly limits: readonly LimitSettings[];
}

/**
 * Adds an error for each removed header that should carry tokens, and a warning for each that a route or a
 * limit depends on.
 */
export function checkRemovedHeaders(
  listener: Section,
  parts: Pick<Owner, 'access' | 'limits'> & { readonly routes: readonly Route[] },
): void {
  const { problems, path } = listener;
  const { access, limits, routes } = parts;
  const removed = removedNames([access, ...routes.map((route) => route.access)]);
  if (removed.size === 0) return;
  const owners = routes.map((route, index) => ({ ...route, path: [...path, 'routes', index] }));
  for (const [index, { match }] of routes.entries()) {
    const name = [...match.headers.keys()].find((each) => removed.has(each));
    if (name === undefined) continue;
    problems.warning(
      [...path, 'routes', index, 'match', 'headers'],
      `no request has "${name}": ${reasonOf(name)}`,
    );
  }
  for (const owner of [{ path, access, limits }, ...owners]) {
    for (const [index, { key }] of owner.limits.entries()) {
      if (key.kind !== 'header' || !removed.has(key.name)) continue;
      const place = [...owner.path, 'limits', index, 'key'];
      problems.warning(place, `no request has "${key.name}", so nothing is limited: ${reasonOf(key.name)}`);
    }
    const isOwn = owner.path === path || owner.access?.jwt !== access?.jwt;
    const source = owner.access?.jwt?.from.find(({ kind, name }) => kind === 'header' && removed.has(name));
    if (!isOwn || source === undefined) continue;
    problems.error(
      [...owner.path, 'access', 'jwt', 'from'],
      `no request has a token in "${source.name}": ${reasonOf(source.name)}`,
    );
  }
}

function removedNames(accesses: readonly (AccessSettings | null)[]): ReadonlySet<string> {
  const names = new Set<string>();
  // Thousands of routes may share their listener's settings.
  for (const access of new Set(accesses)) {
    for (const name of access?.jwt?.forward.keys() ?? []) names.add(name);
    for (const name of access?.forwardAuth?.headers ?? []) names.add(name);
  }
  return names;
}

function reasonOf(name: string): string {
  return (
    `access forwards something to endpoints in "${name}", so it is first removed from every request of this listener. ` +
    'Use another name'
  );
}
