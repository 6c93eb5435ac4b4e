import { trimOws } from '../request-head.ts';

/** What one hop says in a `Forwarded` header (RFC 7239 section 4). Empty texts stand for parameters left out. */
interface ForwardedElement {
  /** `for`, without quotes. */
  readonly node: string;
  readonly host: string;
  readonly proto: string;
}

/** A parameter and what follows it. Without quotes, colons and brackets are taken as well: many proxies write them. */
const PARAMETER = /[ \t]*([!#$%&'*+.^_`|~\w-]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*))[ \t]*(?:;|$)/y;

/**
 * Reads one element of a `Forwarded` header. Names of parameters may be in any case, and unknown ones are skipped.
 *
 * @returns null for what is malformed or names a parameter twice
 */
export function readForwardedElement(element: string): ForwardedElement | null {
  const found = new Map<string, string>();
  PARAMETER.lastIndex = 0;
  while (PARAMETER.lastIndex < element.length) {
    const start = PARAMETER.lastIndex;
    const match = PARAMETER.exec(element);
    if (match === null) {
      // Empty parameters are allowed: `for=a;;proto=b;`.
      const end = element.indexOf(';', start);
      if (end < 0 || trimOws(element.slice(start, end)) !== '') return null;
      PARAMETER.lastIndex = end + 1;
      continue;
    }
    const [, name = '', quoted, plain = ''] = match;
    const key = name.toLowerCase();
    if (found.has(key)) return null;
    found.set(key, quoted === undefined ? plain : quoted.replace(/\\(.)/g, '$1'));
  }
  return {
    node: found.get('for') ?? '',
    host: found.get('host') ?? '',
    proto: found.get('proto') ?? '',
  };
}
