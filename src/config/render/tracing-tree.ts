/** Renders the key `tracing`. */
import { HIDDEN } from '../syntax/outside/hidden.ts';
import type { TracingSettings } from '../types/config.ts';
import { without, type Tree } from './tree.ts';

/** Renders the key `tracing`. Hides headers and the URL's query, which may contain the collector's key. */
export function tracingTree(tracing: TracingSettings | null): Tree | null {
  if (tracing === null) return null;
  const { url, sample, headers, routes } = tracing;
  const names = Object.keys(headers);
  return without({
    url: withoutQuery(url),
    sample,
    headers: names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, HIDDEN])),
    routes: Object.keys(routes).length === 0 ? null : routes,
  });
}

function withoutQuery(url: string): string {
  const query = url.indexOf('?');
  return query < 0 ? url : `${url.slice(0, query)}?${HIDDEN}`;
}
