/** Names the listeners, routes and clusters that use a block of the file. */
import { describe } from './formats.ts';
import type { Path } from './source-file.ts';

/** Max users in a message. */
const MAX_USERS = 3;
/** Singular names of lists whose entries have names. */
const NAMED_LISTS = new Map([
  ['listeners', 'listener'],
  ['routes', 'route'],
  ['clusters', 'cluster'],
]);

/**
 * Lists the entries along the paths, each once: `listener "web" and route "chat" of listener "api"`.
 *
 * @param root the root value of the file
 */
export function listUsers(root: unknown, paths: readonly Path[]): string {
  const users = [...new Set(paths.map((path) => userOf(root, path)))];
  const named = users.slice(0, MAX_USERS);
  const rest = users.length - named.length;
  const last = rest > 0 ? `${rest} more` : named.pop();
  return named.length === 0 ? String(last) : `${named.join(', ')} and ${last}`;
}

/**
 * Describes the innermost entry around a value and the entries around it. Without one, returns the dotted
 * path.
 */
function userOf(root: unknown, path: Path): string {
  const entries: string[] = [];
  let value = root;
  for (const [index, step] of path.entries()) {
    value = value instanceof Map || Array.isArray(value) ? childOf(value, step) : undefined;
    const kind = NAMED_LISTS.get(String(path[index - 1]));
    if (kind === undefined || typeof step !== 'number') continue;
    // If the name is itself the problem, it may not identify the entry.
    const name = value instanceof Map && path[index + 1] !== 'name' ? (value.get('name') as unknown) : null;
    entries.unshift(`${kind} ${typeof name === 'string' ? describe(name) : `number ${step + 1}`}`);
  }
  return entries.length === 0 ? path.join('.') : entries.join(' of ');
}

function childOf(value: ReadonlyMap<unknown, unknown> | readonly unknown[], step: string | number): unknown {
  return value instanceof Map ? value.get(step) : (value as readonly unknown[])[Number(step)];
}
