/** Grammars of names in headers, shared by configuration and wire. */

/**
 * A token of RFC 9110 section 5.6.2: a method, or the name of a header or cookie (RFC 6265 section 4.1.1).
 */
export const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/**
 * A WebSocket subprotocol. RFC 6455 requires a token, but clients and servers use `:`, `/`, `=` and others,
 * and other proxies accept them. Refuses characters that end or split the name for other programs: spaces,
 * commas, semicolons, quotes and backslashes.
 */
export const SUBPROTOCOL = /^[!#-+\--:<-[\]-~]+$/;

/** Reports whether a text is a {@link TOKEN}. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}
