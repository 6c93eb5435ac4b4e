/** Users' JSON paths (RFC 9535), parsed into a form whose search takes bounded time. */
import { createRequire } from 'node:module';
import type * as P3 from 'json-p3';
import { messageOf } from '../errors.ts';
import { FilterCheck, JsonPathError } from './path-filter.ts';

/** Max segments of a path. A search visits each value once per segment. */
const MAX_SEGMENTS = 32;
/** Max selectors of all segments together, for the same reason. */
const MAX_SELECTORS = 64;
const SYNTAX = 'write a JSON path of RFC 9535, such as $.user.email or $..password';

/** One step of a path. */
export interface PathSegment {
  /** Whether it selects among all descendants instead of only the children. */
  readonly isDescendant: boolean;
  readonly selectors: readonly PathSelector[];
}

export type PathSelector =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | {
      readonly kind: 'slice';
      readonly start: number | undefined;
      readonly stop: number | undefined;
      readonly step: number;
    }
  | { readonly kind: 'wildcard' }
  | {
      readonly kind: 'filter';
      /** Reports whether a value passes. Visits each child of both values at most once. */
      readonly passes: (value: unknown, root: unknown) => boolean;
    };

type Package = typeof P3;
type Segment = P3.JSONPathQuery['segments'][number];

let loaded: Package | null = null;

/** Loads json-p3 with the first path: most processes have none. */
function p3(): Package {
  return (loaded ??= createRequire(import.meta.url)('json-p3') as Package);
}

/**
 * Parses a JSON path. Filters are restricted, because senders choose the values they see. Queries in filters
 * contain neither `..` nor filters. One side of a comparison is a literal. `match` and `search` take a
 * literal expression.
 *
 * @throws JsonPathError
 */
export function parseJsonPath(source: string): readonly PathSegment[] {
  const { JSONPathEnvironment, TokenKind } = p3();
  const environment = new JSONPathEnvironment();
  const filters = new FilterCheck(p3(), environment);
  let segments: readonly Segment[];
  try {
    ({ segments } = environment.compile(source));
  } catch (error) {
    throw new JsonPathError(`${explain(error)}: ${SYNTAX}`, { cause: error });
  }
  const selectorCount = segments.reduce((sum, { selectors }) => sum + selectors.length, 0);
  if (segments.length > MAX_SEGMENTS || selectorCount > MAX_SELECTORS) {
    throw new JsonPathError(
      `${segments.length} segments or ${selectorCount} selectors exceed the max of ${MAX_SEGMENTS} or ` +
        `${MAX_SELECTORS}: split it over several rules`,
    );
  }
  return segments.map(({ token, selectors }) => ({
    isDescendant: token.kind === TokenKind.DDOT,
    selectors: selectors.map((selector) => readSelector(selector, environment, filters)),
  }));
}

function readSelector(
  selector: Segment['selectors'][number],
  environment: P3.JSONPathEnvironment,
  filters: FilterCheck,
): PathSelector {
  const { selectors } = p3().jsonpath;
  if (selector instanceof selectors.NameSelector) return { kind: 'name', name: selector.name };
  if (selector instanceof selectors.IndexSelector) return { kind: 'index', index: selector.index };
  if (selector instanceof selectors.WildcardSelector) return { kind: 'wildcard' };
  if (selector instanceof selectors.SliceSelector) {
    const { start, stop, step = 1 } = selector;
    return { kind: 'slice', start, stop, step };
  }
  if (selector instanceof selectors.FilterSelector) {
    const { expression } = selector;
    filters.check(expression);
    return {
      kind: 'filter',
      passes: (value, root) =>
        expression.evaluate({
          environment,
          currentValue: value as P3.JSONValue,
          rootValue: root as P3.JSONValue,
        }),
    };
  }
  throw new JsonPathError(`a selector is not part of RFC 9535: ${SYNTAX}`);
}

/**
 * Returns json-p3's message and the position. Drops its quote of the path, which may contain control
 * characters.
 */
function explain(error: unknown): string {
  const found = /^([^]*) \('[^]*':(\d+)\)$/.exec(messageOf(error));
  if (found === null) return 'syntax error';
  const [, fault = '', at = ''] = found;
  return `${fault.replaceAll(/[^\x20-\x7e]/g, '?')} at character ${Number(at) + 1}`;
}
