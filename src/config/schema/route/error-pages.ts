/** Reads the key `errorPages` of listeners and routes. */
import { extname } from 'node:path';
import { formatByteSize } from '../../../core/units/byte-size.ts';
import type { Context } from '../../syntax/context.ts';
import { smallFile } from '../../syntax/files.ts';
import { describeFormat } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe } from '../../syntax/formats.ts';
import type { Section } from '../../syntax/section.ts';
import { isMapping, notMapping, readValue } from '../../syntax/section.ts';
import type { ErrorPage, ErrorPageSettings } from '../../types/error-page.ts';

/** Max bytes of one file: refusals should be cheap. */
const MAX_PAGE_BYTES = 64 * 1024;
/** Max bytes of all files of a configuration. Each worker keeps a copy. */
const MAX_ALL_PAGES_BYTES = 1024 * 1024;
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.htm': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.xml': 'application/xml',
};
const SHAPE = {
  what: '"errorPages"',
  keys: ['statuses such as 404 and 5xx', 'default'],
  instead: (value: unknown) =>
    typeof value === 'string' && value !== 'off' ? `write { default: ${value} }` : null,
};
const STATUS = /^(?:[45]\d\d|[45]xx|default)$/;
/** Settings without pages. */
export const NO_PAGES: ErrorPageSettings = new Map();

/** Reads the optional key of a listener. */
export function readErrorPages(owner: Section, context: Context): ErrorPageSettings {
  if (!owner.has('errorPages')) return NO_PAGES;
  const { problems } = context;
  const path = [...owner.path, 'errorPages'];
  const mapping = owner.raw('errorPages');
  if (!isMapping(mapping)) {
    problems.valueError(path, notMapping(mapping, SHAPE));
    return NO_PAGES;
  }
  const pages = new Map<string, ErrorPage>();
  const format = pageFile(context);
  problems.observer?.form?.(path, {
    type: 'pairs',
    values: describeFormat(format),
    lists: false,
    files: true,
  });
  for (const [key, value] of mapping) {
    if (!STATUS.test(key)) {
      const remedy = 'write 400 to 599, 4xx, 5xx or default';
      problems.keyError([...path, key], `${describe(key)} is not an error status: ${remedy}`);
      continue;
    }
    const page = readValue<ErrorPage | null>(value, [...path, key], problems, format, null);
    if (page !== null) pages.set(key, page);
  }
  return pages;
}

/** Reads the optional key of a route. Null for `off`, which excludes the listener's pages. */
export function readRouteErrorPages(route: Section, context: Context): ErrorPageSettings | null {
  return route.isOff('errorPages') ? null : readErrorPages(route, context);
}

/** Returns the format of a page's file. Reads each file once. */
function pageFile({ base, pages }: Context): Format<ErrorPage> {
  const read = smallFile(base, MAX_PAGE_BYTES);
  return (value) => {
    const { path, bytes } = read(value);
    const known = pages.get(path);
    if (known !== undefined) return known;
    const contentType = CONTENT_TYPES[extname(path).toLowerCase()];
    if (contentType === undefined) {
      const endings = Object.keys(CONTENT_TYPES).join(', ');
      throw new FormatError(
        `${describe(value)} has no known content type: name a file that ends in ${endings}`,
      );
    }
    const total = [...pages.values()].reduce((sum, { body }) => sum + body.length, bytes.length);
    if (total > MAX_ALL_PAGES_BYTES) {
      const limit = formatByteSize(MAX_ALL_PAGES_BYTES);
      throw new FormatError(`${describe(value)} brings all error pages above ${limit}: make them smaller`);
    }
    // A copy: small reads share a buffer, which a message to a worker would contain as a whole.
    const page = { file: path, contentType, body: new Uint8Array(bytes) };
    pages.set(path, page);
    return page;
  };
}
