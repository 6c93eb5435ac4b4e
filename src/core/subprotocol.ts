/**
 * A WebSocket subprotocol. RFC 6455 wants a token, but clients and servers use `:`, `/`, `=` and others, and other proxies
 * pass them. Characters that end or split the name for other programs are refused: spaces, commas, semicolons, quotes and
 * backslashes.
 */
export const SUBPROTOCOL = /^[!#-+\--:<-[\]-~]+$/;
