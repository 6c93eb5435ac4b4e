/** Reads which metrics and labels a query in PromQL asks for. */

/** A selector such as `up{job="a"}`, or the name of a metric alone. */
interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
}

interface Matcher {
  readonly label: string;
  readonly operator: '=' | '!=' | '=~' | '!~';
  readonly value: string;
}

interface Query {
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `without`, `on`, `ignoring`, `group_left` and `group_right`. */
  readonly labels: readonly string[];
}

const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const MATCHERS = /\{((?:[^}"]|"(?:[^"\\]|\\.)*")*)\}/y;
const MATCHER = /\s*(\w+)\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/gy;
const NAME = /(?<![\w:])[a-zA-Z_:][\w:]*/g;
const WORDS: ReadonlySet<string> = new Set(['and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan']);

/** Reads a query. Throws for matchers that it cannot read. */
export function readQuery(query: string): Query {
  const labels: string[] = [];
  const text = query
    .replaceAll(/#.*$/gm, '')
    .replaceAll(/\[[^\]]*\]/g, (range) => ' '.repeat(range.length))
    .replaceAll(GROUPING, (grouping, list: string) => {
      labels.push(
        ...list
          .split(',')
          .map((label) => label.trim())
          .filter((label) => label !== ''),
      );
      return ' '.repeat(grouping.length);
    });
  const selectors: Selector[] = [];
  let end = 0;
  for (const { 0: metric, index } of text.matchAll(NAME)) {
    // A word between braces, or the name of a function.
    if (index < end || WORDS.has(metric.toLowerCase())) continue;
    MATCHERS.lastIndex = index + metric.length;
    const [whole, inside] = MATCHERS.exec(text) ?? [];
    end = index + metric.length + (whole?.length ?? 0);
    const isCall = whole === undefined && /^\s*\(/.test(text.slice(end));
    if (isCall || /^(?:by|sum|max|min|avg|count|topk)$/.test(metric)) continue;
    selectors.push({ metric, matchers: inside === undefined ? [] : readMatchers(inside) });
  }
  return { selectors, labels };
}

function readMatchers(text: string): Matcher[] {
  const matchers: Matcher[] = [];
  let end = 0;
  for (const match of text.matchAll(MATCHER)) {
    const [whole, label, operator, value] = match;
    matchers.push({ label: label!, operator: operator as Matcher['operator'], value: value! });
    end = match.index + whole.length;
  }
  if (text.slice(end).trim() !== '') throw new Error(`matchers that cannot be read: ${text}`);
  return matchers;
}
