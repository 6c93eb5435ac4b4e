/** Texts of the schema: descriptions for editors and for `sluice explain`. */
import { parse } from 'yaml';
import type { ConfigKey } from '../reference/config-keys.ts';

/** Matches a default that is one value in code. */
const ONE_VALUE = /^`([^`]+)`$/;

/** Turns Markdown into plain text: code gets quotes, and a link its target in brackets. */
export function plain(markdown: string): string {
  return withPaths(markdown)
    .replaceAll(/`([^`"]+)`/g, '"$1"')
    .replaceAll('`', '');
}

/** Returns Markdown for a hover: the text, and a line of facts. */
export function hoverOf(key: ConfigKey): string {
  const facts = [
    key.default === 'required' ? 'Required' : `Default: ${key.default}`,
    ...(key.layers.length === 1 ? [`Layer ${key.layers[0]} only`] : []),
    ...(key.engines === null || key.engines === 'every engine' ? [] : [`Engines: ${key.engines}`]),
    ...(key.environment === null ? [] : [`Environment: \`${key.environment}\``]),
  ];
  return withPaths(`${key.text}\n\n${facts.join('. ')}.`);
}

/** Returns words without marks of code, for a terminal. */
export function withoutCode(markdown: string): string {
  return withPaths(markdown).replaceAll('`', '');
}

/** Returns the default of a key as a value. Undefined if it is required, missing, or described in words. */
export function defaultOf(key: ConfigKey): unknown {
  const code = ONE_VALUE.exec(key.default)?.[1];
  return code === undefined ? undefined : parse(code);
}

/** Replaces links to pages of this site, which do not work elsewhere, by the paths of their files. */
function withPaths(markdown: string): string {
  return markdown
    .replaceAll(/\[([^\]]+)\]\(#[^)]*\)/g, '$1')
    .replaceAll(/\[([^\]]+)\]\(\.\.\/([^)#]+)[^)]*\)/g, '$1 (docs/$2)')
    .replaceAll(/\[([^\]]+)\]\(([^)#./]+\.md)[^)]*\)/g, '$1 (docs/reference/$2)');
}
