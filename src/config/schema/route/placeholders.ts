/** Checks the placeholders in a route's new path or redirect. */
import { expandTemplate, targetParts, templateParts } from '../../../core/template.ts';
import { describe } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import type { ReadMatch } from './route-match.ts';

const REQUEST_PARTS = ['host', 'path', 'query'];

/** Adds errors for the placeholders of `rewrite.path`. */
export function checkRewrite(rewrite: Section, path: string, read: ReadMatch): void {
  checkNames(rewrite, 'path', path, []);
  checkGroups(rewrite, 'path', path, read);
  refuseDotSegments(rewrite, 'path', path);
}

/** Adds errors for the placeholders of `redirect.to`. */
export function checkRedirect(redirect: Section, to: string, read: ReadMatch): void {
  checkNames(redirect, 'to', to, REQUEST_PARTS);
  checkGroups(redirect, 'to', to, read);
  checkPlaces(redirect, to);
  if (namesOf(to).length > 0) refuseDotSegments(redirect, 'to', to);
}

/** @param known names beside the groups */
function checkNames(section: Section, key: string, text: string, known: readonly string[]): void {
  for (const name of namesOf(text)) {
    if (known.includes(name) || /^[1-9]$/.test(name)) continue;
    const fault =
      name === ''
        ? `${describe(text)} has a "$" without a name`
        : REQUEST_PARTS.includes(name)
          ? `$${name} is for redirect.to`
          : `$${name} is unknown`;
    const names = [...known.map((each) => `$${each}`), '$1 to $9'].join(', ');
    section.problemAt(key, `${fault}: write ${names}, or $$ for a dollar sign`);
  }
}

/** Adds errors for a path without a host before it, and for a query that is not at the end. */
function checkPlaces(redirect: Section, to: string): void {
  const [, name] = /^(?:https?:)?\/\/\$(path|query)(?!\w)/i.exec(to) ?? [];
  if (name !== undefined) {
    redirect.problemAt('to', `$${name} needs a host before it, such as https://$host$${name}`);
  }
  const { authority, path, rest } = targetParts(to);
  const before = [...authority, ...path];
  const at = before.findIndex((part) => 'name' in part && part.name === 'query');
  const hasQuery = expandTemplate(rest, () => '').startsWith('?');
  if (at !== -1 && (hasQuery || at < before.length - 1)) {
    redirect.problemAt('to', '$query begins with "?": write it at the end, or as a value behind a "?"');
  }
}

function namesOf(text: string): readonly string[] {
  const names = templateParts(text).flatMap((part) => ('name' in part ? [part.name] : []));
  return [...new Set(names)];
}

/** Adds an error if a text uses a group that the route's pathRegex lacks. */
function checkGroups(section: Section, key: string, text: string, read: ReadMatch): void {
  const { expression, isValid } = read;
  const wanted = Math.max(0, ...namesOf(text).map(Number).filter(Boolean));
  const groups = expression?.groupCount ?? 0;
  // An invalid match has its own error.
  if (wanted <= groups || !isValid) return;
  const has = expression === null ? 'the match has no pathRegex' : `pathRegex has ${countOf(groups)}`;
  section.problemAt(key, `$${wanted} is group ${wanted} of pathRegex, but ${has}`);
}

function countOf(groups: number): string {
  return groups === 0 ? 'no groups' : groups === 1 ? 'one group' : `${groups} groups`;
}

/** Adds an error for a dot segment in a target: every request of the route would be refused. */
function refuseDotSegments(section: Section, key: string, target: string): void {
  if (!/\/\.\.?(?:\/|$)/.test(target.replace(/[?#].*$/, ''))) return;
  section.problemAt(key, `${describe(target)} has a dot segment: write the path without "." and ".."`);
}
