/** Reads the key `tracing` of the root: the sampling of traces and the collector of their spans. */
import { describe } from '../../syntax/formats.ts';
import { nearest } from '../../syntax/hints/nearest.ts';
import type { Problems } from '../../syntax/problems.ts';
import { readValue } from '../../syntax/section.ts';
import { isUnencrypted } from '../../syntax/url.ts';
import type { TracingSettings } from '../../types/config.ts';
import type { Listener } from '../../types/listener.ts';
import type { Settings } from '../settings.ts';
import { collectorHeader } from './formats.ts';

/** Head sampling rate if `tracing.sample` is missing. */
const DEFAULT_SAMPLE = 0.1;
/** Max names in a message. */
const MAX_LISTED = 10;

/**
 * Reads the key `tracing`. Null without a URL.
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
  const headers = readHeaders(settings.read('tracing.headers'), problems);
  const routes = settings.read('tracing.routes');
  if (url === null) {
    for (const [key, value] of Object.entries({ sample, headers, routes })) {
      if (value === null) continue;
      const message = `${key} does nothing without tracing.url: set that too, or leave ${key} out`;
      problems.error(['tracing', key], message);
    }
    return null;
  }
  if (headers !== null && Object.keys(headers).length > 0 && isUnencrypted(new URL(url))) {
    const message = 'the headers cross the network unencrypted: use https, or a collector on this machine';
    problems.warning(['tracing', 'url'], message);
  }
  if (routes !== null) checkRoutes(routes, listeners, problems);
  return {
    url,
    sample: sample ?? DEFAULT_SAMPLE,
    headers: headers ?? {},
    routes: Object.fromEntries(routes ?? []),
  };
}

/** Reads the values of the headers. Null for no headers, and if one is refused. */
function readHeaders(
  headers: ReadonlyMap<string, unknown> | null,
  problems: Problems,
): Readonly<Record<string, string>> | null {
  const read: Record<string, string> = {};
  let isValid = headers !== null;
  for (const [name, value] of headers ?? []) {
    const text = readValue(value, ['tracing', 'headers', name], problems, collectorHeader, null);
    if (text === null) isValid = false;
    else read[name] = text;
  }
  return isValid ? read : null;
}

/** Adds an error for each name without a route. */
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
