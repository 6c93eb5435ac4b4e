/** Names for the listeners, routes and clusters that use a block of the file. */
import { describe } from './formats.ts';
import type { Path } from './source-file.ts';

/** Max users that a message names. */
const MAX_USERS = 3;
/** What the entries of lists are called, if they have names. */
const NAMED_LISTS = new Map([
  ['listeners', 'listener'],
  ['routes', 'route'],
  ['clusters', 'cluster'],
]);

/**
 * Lists the entries that the paths lead through, each once: `listener "web" and route "chat" of listener "api"`.
 *
 * @param root the value of the file
 */
export function listUsers(root: unknown, paths: readonly Path[]): string {
  const users = [...new Set(paths.map((path) => userOf(root, path)))];
  const named = users.slice(0, MAX_USERS);
  const rest = users.length - named.length;
  const last = rest > 0 ? `${rest} more` : named.pop();
  return named.length === 0 ? String(last) : `${named.join(', ')} and ${last}`;
}

/** Returns the innermost entry around a value, with the entries around that. Without any it is the dotted path. */
function userOf(root: unknown, path: Path): string {
  const entries: string[] = [];
  let value = root;
  for (const [index, step] of path.entries()) {
    value = value instanceof Map || Array.isArray(value) ? childOf(value, step) : undefined;
    const kind = NAMED_LISTS.get(String(path[index - 1]));
    if (kind === undefined || typeof step !== 'number') continue;
    // A name that is itself the problem may not tell the entry from others.
    const name = value instanceof Map && path[index + 1] !== 'name' ? (value.get('name') as unknown) : null;
    entries.unshift(`${kind} ${typeof name === 'string' ? describe(name) : `number ${step + 1}`}`);
  }
  return entries.length === 0 ? path.join('.') : entries.join(' of ');
}

function childOf(value: ReadonlyMap<unknown, unknown> | readonly unknown[], step: string | number): unknown {
  return value instanceof Map ? value.get(step) : (value as readonly unknown[])[Number(step)];
}
