/** Grammars of names in headers, which the configuration and the wire share. */

/** A token of RFC 9110 section 5.6.2: a method, the name of a header or of a cookie (RFC 6265 section 4.1.1). */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * A WebSocket subprotocol. RFC 6455 wants a token, but clients and servers use `:`, `/`, `=` and others, and other proxies
 * pass them. Characters that end or split the name for other programs are refused: spaces, commas, semicolons, quotes and
 * backslashes.
 */
export const SUBPROTOCOL = /^[!#-+\--:<-[\]-~]+$/;

/** Tells whether a text is a {@link TOKEN}. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
