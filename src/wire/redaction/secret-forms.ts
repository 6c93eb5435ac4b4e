/** Detects secrets in handshake text by their form, in linear time. */
import type { SecretNames } from './secret-names.ts';

/** Max rounds of decoding in search of secrets. Text encoded more often counts as a secret. */
const MAX_DECODINGS = 3;

/** An authentication scheme, and at least one character after it. */
const SCHEME = /\b(?:basic|bearer|digest|negotiate|ntlm|hmac|token|api-?key|signature)\b[:\s]+[^\s]/i;
/** `name=value` and `name: value`, as in queries, parameter lists and JSON. */
const PARAMETER = /(?<=^|[?&;,\s"'({[=:])([^\s=:?&;,"'({[]+)["']?\s*[=:]\s*["']?(?=[^\s&;,"'])/g;
/** The part of a URL that may contain user info. */
const AUTHORITY = /\/\/([^/?#\s]*)/g;
/** A run of token characters, which may be percent-encoded. */
const TOKEN_RUN = /[\w.%~=+-]{16,}/g;
/**
 * `{"` in base64, once or twice encoded, at a word boundary: the start of a JSON Web Token (RFC 7519), or of
 * other JSON.
 */
const JSON_START = /(?<![A-Za-z0-9])(?:eyJ|eyA|eyI|ewo|ewk|ZXlK)/;
/** Separator in a JSON Web Token. */
const TOKEN_DOT = /\.|%2e/i;

/** Cuts apparent JSON Web Tokens, and other JSON in base64, out of a text. */
export function cutTokens(text: string, cut: string): string {
  return text.replace(TOKEN_RUN, (run) => {
    const start = JSON_START.exec(run)?.index ?? -1;
    const at = start >= 0 ? start : run.indexOf('eyJ');
    if (at < 0 || (start < 0 && !TOKEN_DOT.test(run.slice(at)))) return run;
    return run.slice(0, at) + cut;
  });
}

/** Reports whether a text contains a secret of a known form, plain or encoded. */
export function hasSecret(text: string, names: SecretNames, decodings = 0): boolean {
  if (SCHEME.test(text) || cutTokens(text, '') !== text) return true;
  for (const [, name = ''] of text.matchAll(PARAMETER)) {
    if (names.has('query', name)) return true;
  }
  for (const [, authority = ''] of text.matchAll(AUTHORITY)) {
    if (authority.includes('@')) return true;
  }
  const inner = percentDecoded(text);
  if (inner === text) return false;
  return decodings === MAX_DECODINGS || hasSecret(inner, names, decodings + 1);
}

/** Decodes the percent-encoding of a query, as far as it is valid. */
export function percentDecoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    const code = (escape: string): number => Number.parseInt(escape.slice(1), 16);
    return spaced.replaceAll(/%[2-7][0-9a-f]/gi, (escape) => String.fromCharCode(code(escape)));
  }
}
