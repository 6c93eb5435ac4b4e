/** The keys `tracing` of the root: which requests and sessions are traced, and who gets the spans. */
import { TOKEN } from '../../core/tokens.ts';
import type { Format } from '../syntax/formats.ts';
import { FormatError, describe, line } from '../syntax/formats.ts';
import { nearest } from '../syntax/nearest.ts';
import type { Problems } from '../syntax/problems.ts';
import { isMapping } from '../syntax/section.ts';
import { crossesInClear, httpUrl } from '../syntax/url.ts';
import type { TracingSettings } from '../types/config.ts';
import type { Listener } from '../types/listener.ts';
import type { Settings } from './settings.ts';

/** Head sampling without `tracing.sample`. */
const DEFAULT_SAMPLE = 0.1;
/** Max names that a message lists. */
const MAX_LISTED = 10;

/** Headers that the exporter sets itself, in lower case. */
const FIXED: ReadonlySet<string> = new Set([
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

/** The URL that gets the spans. A path is not added: collectors take traces at `/v1/traces`. */
export const collectorUrl: Format<string> = (value) => {
  const url = collector(value);
  if (url.pathname !== '/') return url.href;
  throw new FormatError(`${describe(value)} has no path: collectors take traces at ${url.origin}/v1/traces`);
};

/** A part of all traces: 0 for none, 1 for all. */
export const ratio: Format<number> = (value) => {
  if (typeof value === 'number' && value >= 0 && value <= 1) return value;
  throw new FormatError(`${describe(value)} is not a part of all requests: write 0 (none) to 1 (all)`);
};

const headerValue = line('a header');

/** Headers for the collector. Messages leave the values out: they are secrets. */
export const collectorHeaders: Format<ReadonlyMap<string, string>> = (value) => {
  if (!isMapping(value)) {
    throw new FormatError(`${describeKind(value)} is not a mapping: write names of headers and their values`);
  }
  const names = new Set<string>();
  for (const [name, text] of value) {
    if (!TOKEN.test(name)) throw new FormatError(`${describe(name)} is not the name of a header`);
    const lower = name.toLowerCase();
    if (FIXED.has(lower))
      throw new FormatError(`sluice sets the header ${describe(name)} itself: leave it out`);
    if (names.has(lower)) throw new FormatError(`the header ${describe(name)} is there twice`);
    names.add(lower);
    if (typeof text !== 'string' || !isHeaderValue(text)) {
      throw new FormatError(`the value of ${describe(name)} is not text in one line: put it in quotes`);
    }
  }
  return value as ReadonlyMap<string, string>;
};

/** Names of routes and the part of their traces. */
export const routeRatios: Format<ReadonlyMap<string, number>> = (value) => {
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

/**
 * Reads the keys `tracing`. Null without a URL.
 *
 * @param listeners have the routes that may be named
 */
export function readTracing(
  settings: Settings,
  listeners: readonly Listener[],
  problems: Problems,
): TracingSettings | null {
  const url = settings.read('tracing.url');
  const sample = settings.read('tracing.sample');
  const headers = settings.read('tracing.headers');
  const routes = settings.read('tracing.routes');
  if (url === null) {
    for (const [key, value] of Object.entries({ sample, headers, routes })) {
      if (value === null) continue;
      const message = `${key} does nothing without tracing.url: set that too, or leave ${key} out`;
      problems.error(['tracing', key], message);
    }
    return null;
  }
  if (headers !== null && headers.size > 0 && crossesInClear(new URL(url))) {
    const message = 'everybody on the way can read the headers: use https, or a collector on this machine';
    problems.warning(['tracing', 'url'], message);
  }
  if (routes !== null) checkRoutes(routes, listeners, problems);
  return {
    url,
    sample: sample ?? DEFAULT_SAMPLE,
    headers: Object.fromEntries(headers ?? []),
    routes: Object.fromEntries(routes ?? []),
  };
}

/** Adds an error for each name that no route has. */
function checkRoutes(
  ratios: ReadonlyMap<string, number>,
  listeners: readonly Listener[],
  problems: Problems,
): void {
  const known = new Set<string>();
  for (const listener of listeners) {
    if (listener.mode === 'l7') for (const { name } of listener.routes) known.add(name);
  }
  for (const name of ratios.keys()) {
    if (known.has(name)) continue;
    const near = nearest(name, [...known]);
    const listed = [...known].slice(0, MAX_LISTED).join(', ');
    const list = known.size === 0 ? 'no listener has routes' : `routes are ${listed}`;
    const hint = near === undefined ? list : `did you mean "${near}"?`;
    problems.keyError(['tracing', 'routes', name], `there is no route ${describe(name)}: ${hint}`);
  }
}

/** Names the kind of a value that may be secret. */
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
