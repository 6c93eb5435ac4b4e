import { isIP } from 'node:net';
import type { AlternativeName } from './certificate-fields.ts';

type NameKind = AlternativeName['kind'];

/** Letters, digits, hyphens, dots, the underscore of internal names, and the star of wildcards. */
const DNS_NAME = /^[\w*.-]+$/;
/** A scheme and the characters of RFC 3986, without quotes and backslashes. */
const URI = /^[a-z][a-z\d+.-]*:[\w!#$%&'()*+,./:;=?@[\]~-]*$/i;
const EMAIL = /^[\x21-\x7e]+@[\w.-]+$/;

/**
 * Normalizes a subject alternative name so that equal names are equal strings: DNS names and email domains in
 * lower case.
 *
 * @returns null if the text has characters that are invalid for its kind
 */
export function normalizeName(kind: Exclude<NameKind, 'ip'>, text: string): string | null {
  switch (kind) {
    case 'dns':
      return DNS_NAME.test(text) ? text.toLowerCase() : null;
    case 'uri':
      return URI.test(text) ? text : null;
    case 'email': {
      const domain = text.lastIndexOf('@') + 1;
      return EMAIL.test(text) ? text.slice(0, domain) + text.slice(domain).toLowerCase() : null;
    }
  }
}

/** Returns the kind of a name, judged by its form; null if it has none. */
export function kindOfName(text: string): NameKind | null {
  if (isIP(text) !== 0) return text.includes('%') ? null : 'ip';
  if (URI.test(text)) return 'uri';
  if (EMAIL.test(text)) return 'email';
  return DNS_NAME.test(text) ? 'dns' : null;
}
