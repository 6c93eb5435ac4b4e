/** Tells by its form whether a text of a handshake has a secret. Takes time in proportion to the text. */
import type { SecretNames } from './secret-names.ts';

/** Max times that a text is decoded in search of secrets. What is encoded more often counts as one. */
const MAX_DECODINGS = 3;

/** The scheme of a credential, and something behind it. */
const SCHEME = /\b(?:basic|bearer|digest|negotiate|ntlm|hmac|token|api-?key|signature)\b[:\s]+[^\s]/i;
/** `name=value` and `name: value`, as in queries, lists of parameters and JSON. */
const PARAMETER = /(?<=^|[?&;,\s"'({[=:])([^\s=:?&;,"'({[]+)["']?\s*[=:]\s*["']?(?=[^\s&;,"'])/g;
/** The place of user info in a URL. */
const AUTHORITY = /\/\/([^/?#\s]*)/g;
/** A run of the characters of tokens, which may be percent-encoded. */
const TOKEN_RUN = /[\w.%~=+-]{16,}/g;
/** `{"` in base64, also if it is base64 again, behind a border: the beginning of a JSON Web Token (RFC 7519), or of other JSON. */
const JSON_START = /(?<![A-Za-z0-9])(?:eyJ|eyA|eyI|ewo|ewk|ZXlK)/;
/** What stands between the parts of a JSON Web Token. */
const TOKEN_DOT = /\.|%2e/i;

/** Cuts what looks like a JSON Web Token, or like other JSON in base64, out of a text. */
export function cutTokens(text: string, cut: string): string {
  return text.replace(TOKEN_RUN, (run) => {
    const start = JSON_START.exec(run)?.index ?? -1;
    const at = start >= 0 ? start : run.indexOf('eyJ');
    if (at < 0 || (start < 0 && !TOKEN_DOT.test(run.slice(at)))) return run;
    return run.slice(0, at) + cut;
  });
}

/** Tells whether a text has a secret in one of the known forms, in it or in what it encodes. */
export function hasSecret(text: string, names: SecretNames, decodings = 0): boolean {
  if (SCHEME.test(text) || cutTokens(text, '') !== text) return true;
  for (const [, name = ''] of text.matchAll(PARAMETER)) {
    if (names.has('query', name)) return true;
  }
  for (const [, authority = ''] of text.matchAll(AUTHORITY)) {
    if (authority.includes('@')) return true;
  }
  const inner = decoded(text);
  if (inner === text) return false;
  return decodings === MAX_DECODINGS || hasSecret(inner, names, decodings + 1);
}

/** Decodes the percent-encoding of a query, as far as it is right. */
export function decoded(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    const code = (escape: string): number => Number.parseInt(escape.slice(1), 16);
    return spaced.replaceAll(/%[2-7][0-9a-f]/gi, (escape) => String.fromCharCode(code(escape)));
  }
}
