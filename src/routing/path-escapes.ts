/** Escapes of visible ASCII, except the percent sign. */
const VISIBLE = /%(?:2[1-46-9A-F]|[3-6][\dA-F]|7[\dA-E])/gi;
/** Escapes of unreserved characters: letters, digits, `-`, `.`, `_`, `~`. */
const UNRESERVED = /%(?:2[DE]|3\d|4[1-9A-F]|5[\dAF]|6[1-9A-F]|7[\dAE])/gi;
/** Overlong UTF-8 forms of ASCII: two to four bytes instead of one. */
const OVERLONG = /(?:%C[01]|%E0%8[01]|%F0%80%8[01])%[89AB][\dA-F]/gi;

/** Decodes all escapes of visible ASCII, except `%25`. */
export function decodeVisible(path: string): string {
  return path.replaceAll(VISIBLE, decodeEscape);
}

/** Decodes all escapes of unreserved characters. */
export function decodeUnreserved(path: string): string {
  return path.replaceAll(UNRESERVED, decodeEscape);
}

/** Decodes one escape of ASCII. */
export function decodeEscape(escape: string): string {
  return String.fromCharCode(Number.parseInt(escape.slice(1), 16));
}

/**
 * Decodes overlong forms of ASCII (`%C0%AF` for a slash), like decoders that do not require the shortest
 * form.
 */
export function decodeOverlongForms(path: string): string {
  return path.replaceAll(OVERLONG, decodeOverlong);
}

function decodeOverlong(escape: string): string {
  const high = Number.parseInt(escape.slice(-5, -3), 16) & 1;
  const low = Number.parseInt(escape.slice(-2), 16) & 0x3f;
  const code = high * 64 + low;
  return code > 0x20 && code < 0x7f && code !== 0x25 ? String.fromCharCode(code) : escape;
}
