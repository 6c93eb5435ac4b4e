/**
 * A WebSocket subprotocol. RFC 6455 wants a token, but clients and servers have `:`, `/`, `=` and others in theirs, and
 * other proxies pass them. Excluded is what ends or splits a name for somebody else: spaces, commas, semicolons, quotes,
 * backslashes.
 */
export const SUBPROTOCOL = /^[!#-+\--:<-[\]-~]+$/;
