/** Reads the short forms of the key `match`: a text of a host, a path or both, and a list of hosts. */
import type { FormatDescription } from '../../syntax/format-description.ts';
import { describe } from '../../syntax/formats.ts';
import { hostPattern } from '../../syntax/host.ts';
import type { Problems } from '../../syntax/problems.ts';
import type { Path } from '../../syntax/source-file.ts';

const REMEDY =
  'write a host such as chat.example.com, a path such as /api, or both, such as chat.example.com/api';
const TEXT: FormatDescription = {
  type: 'text',
  what: 'a match',
  remedy: REMEDY,
  pattern: String.raw`^(?=.)(?:localhost|\*\.[\w-]+(?:\.[\w-]+)*|[\w-]+(?:\.[\w-]+)+|\[[\da-fA-F:.]+\])?(?:/[!-)+->@-~]*)?$`,
};

/** Conditions of the long form. */
type Conditions = ReadonlyMap<string, unknown>;

/**
 * Returns the mapping that a text or a list stands for, and any other value itself. If a text or list stands for
 * none, adds an error and returns undefined.
 *
 * @param path path of the key
 */
export function readShortMatch(value: unknown, path: Path, problems: Problems): unknown {
  observe(path, problems);
  if (typeof value === 'string') return ofText(value, path, problems);
  return Array.isArray(value) ? ofHosts(value, path, problems) : value;
}

function observe(path: Path, { observer }: Problems): void {
  observer?.form?.(path, TEXT);
  observer?.list(path, 'hosts', 1);
  observer?.value?.([...path, 0], hostPattern);
}

function ofText(text: string, path: Path, problems: Problems): Conditions | undefined {
  const fault = faultOf(text);
  if (fault !== null) {
    problems.valueError(path, fault);
    return undefined;
  }
  const slash = text.indexOf('/');
  const host = slash === -1 ? text : text.slice(0, slash);
  const conditions = new Map<string, string>();
  if (host !== '') conditions.set('host', host);
  if (slash !== -1) conditions.set('pathPrefix', text.slice(slash));
  problems.standsFor(
    path,
    [...conditions.keys()].map((key) => [...path, key]),
  );
  return conditions;
}

/** Explains why a text is neither a host nor a path. Null if it may be; the long form's keys check it further. */
function faultOf(text: string): string | null {
  const shown = describe(text);
  const [, scheme, rest = ''] = /^([a-z][a-z\d+.-]*):\/\/(?:[^/@]*@)?(.*)$/i.exec(text) ?? [];
  if (scheme !== undefined) {
    return `${shown} is a URL: ${rest === '' ? REMEDY : `write ${describe(rest)}, without ${scheme}://`}`;
  }
  if (/^[\^~]/.test(text)) return `${shown} is not a match: write an expression as { pathRegex: EXPRESSION }`;
  const [host, star] = /^([^/]*)\/[^*]*(\*)?/.exec(text)?.slice(1) ?? [text];
  if (star !== undefined) {
    const prefix = text.slice(0, text.indexOf('*', host!.length)).replace(/(?<=.)\/$/, '');
    return `${shown} has a star in its path: a path matches all paths below it, so write ${describe(prefix)}`;
  }
  if (/\s/.test(text) || text === '') return `${shown} is not a match: ${REMEDY}`;
  if (/^[\w-]+$/.test(text) && text !== 'localhost') {
    return `${shown} may be a host or a path: write "/${text}" for a path, or { host: ${text} } for a host`;
  }
  return null;
}

function ofHosts(list: readonly unknown[], path: Path, problems: Problems): Conditions | undefined {
  const { count } = problems;
  for (const [index, each] of list.entries()) {
    if (typeof each !== 'string' || !each.includes('/')) continue;
    const remedy = each.startsWith('/')
      ? 'write a route for each path, or { pathRegex: EXPRESSION }'
      : 'write a route for each, or { host: [HOSTS], pathPrefix: PATH }';
    problems.valueError(
      [...path, index],
      `${describe(each)} has a path, and a list has hosts only: ${remedy}`,
    );
  }
  if (problems.count > count) return undefined;
  problems.standsFor(path, [[...path, 'host']]);
  for (const index of list.keys()) problems.standsFor([...path, index], [[...path, 'host', index]]);
  return new Map([['host', list]]);
}
