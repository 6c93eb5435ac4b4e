/** Formats of the keys below `tracing`. */
import { TOKEN } from '../../../core/tokens.ts';
import { DESCRIBE, Description, described, type FormatDescription } from '../../syntax/format-description.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe, line } from '../../syntax/formats.ts';
import { isMapping } from '../../syntax/section.ts';
import { refuseHidden } from '../../syntax/outside/hidden.ts';
import { httpUrl } from '../../syntax/url.ts';

/** Headers that the exporter sets itself, in lower case. */
const EXPORTER_HEADERS: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'content-type',
  'content-length',
  'content-encoding',
  'transfer-encoding',
  'expect',
  'upgrade',
]);

const collector = httpUrl('the URL of a collector');

/** URL of the span collector. Must include the path: collectors receive traces at `/v1/traces`. */
export const collectorUrl: Format<string> = (value) => {
  const url = collector(value);
  refuseHidden(url.search.slice(1));
  if (url.pathname !== '/') return url.href;
  throw new FormatError(`${describe(value)} has no path: collectors take traces at ${url.origin}/v1/traces`);
};

const FRACTION: FormatDescription = { type: 'number', min: 0, max: 1 };

/** A fraction of all traces: 0 for none, 1 for all. */
export const ratio = described(FRACTION, (value) => {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new FormatError(`${describe(value)} is not a part of all requests: write 0 (none) to 1 (all)`);
});

const headerValue = line('a header');

/** Headers for the collector, by name. {@link collectorHeader} reads the values. */
export const collectorHeaders: Format<ReadonlyMap<string, unknown>> = (value) => {
  if (value === DESCRIBE)
    throw new Description({
      type: 'pairs',
      values: { type: 'text', what: 'a header' },
      lists: false,
      files: true,
    });
  if (!isMapping(value)) {
    throw new FormatError(`${describeKind(value)} is not a mapping: write names of headers and their values`);
  }
  const names = new Set<string>();
  for (const name of value.keys()) {
    if (!TOKEN.test(name)) throw new FormatError(`${describe(name)} is not the name of a header`);
    const lower = name.toLowerCase();
    if (EXPORTER_HEADERS.has(lower))
      throw new FormatError(`sluice sets the header ${describe(name)} itself: leave it out`);
    if (names.has(lower)) throw new FormatError(`the header ${describe(name)} is listed twice`);
    names.add(lower);
  }
  return value;
};

/** A header for the collector. Messages omit the value, which is secret. */
export const collectorHeader: Format<string> = (value) => {
  if (typeof value !== 'string' || !isHeaderValue(value)) {
    throw new FormatError('the value is not text in one line: put it in quotes');
  }
  refuseHidden(value);
  return value;
};

/** Fractions of traces, keyed by route name. */
export const routeRatios: Format<ReadonlyMap<string, number>> = (value) => {
  if (value === DESCRIBE)
    throw new Description({ type: 'pairs', values: FRACTION, lists: false, files: false });
  if (!isMapping(value)) {
    throw new FormatError(`${describe(value)} is not a mapping: write names of routes and 0 to 1 for each`);
  }
  for (const [name, part] of value) {
    try {
      ratio(part);
    } catch (error) {
      if (error instanceof FormatError) throw new FormatError(`${describe(name)}: ${error.message}`);
      throw error;
    }
  }
  return value as ReadonlyMap<string, number>;
};

/** Describes the kind of a value that may be secret. */
function describeKind(value: unknown): string {
  return typeof value === 'string' ? 'text' : describe(value);
}

function isHeaderValue(text: string): boolean {
  try {
    return headerValue(text) !== '' && /^[\x20-\x7e]*$/.test(text);
  } catch {
    return false;
  }
}
