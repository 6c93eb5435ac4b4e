/** One hop of a `Forwarded` header (RFC 7239 section 4). Missing parameters are empty. */
interface ForwardedElement {
  /** The parameter `for`, without quotes. */
  readonly node: string;
  readonly host: string;
  readonly proto: string;
}

/** Max parameters of an element. RFC 7239 defines four. */
const MAX_PARAMETERS = 16;
/** A parameter and its separator. Colons and brackets need no quotes: many proxies omit them. */
const PARAMETER = /([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))[ \t]*(?:;|$)/y;

/**
 * Parses one element of a `Forwarded` header. Parameter names are case-insensitive. Unknown parameters are
 * skipped.
 *
 * @returns null if the element is malformed, repeats a parameter, or has more than {@link MAX_PARAMETERS}
 */
export function readForwardedElement(element: string): ForwardedElement | null {
  const found = new Map<string, string>();
  // Empty parameters are allowed: `for=a;;proto=b;`.
  for (let at = skipEmpty(element, 0); at < element.length; at = skipEmpty(element, PARAMETER.lastIndex)) {
    PARAMETER.lastIndex = at;
    const match = PARAMETER.exec(element);
    if (match === null) return null;
    const [, name = '', quoted, plain = ''] = match;
    const key = name.toLowerCase();
    if (found.has(key) || found.size === MAX_PARAMETERS) return null;
    found.set(key, quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
  }
  return {
    node: found.get('for') ?? '',
    host: found.get('host') ?? '',
    proto: found.get('proto') ?? '',
  };
}

/** Returns the start of the next parameter from `at` on. */
function skipEmpty(element: string, at: number): number {
  let start = at;
  while (start < element.length && '; \t'.includes(element.charAt(start))) start++;
  return start;
}
