/**
 * Returns what the proxy adds to Via: the version in which it received the message, and its own name (RFC 9110 section
 * 7.6.3).
 */
export function viaElement(isHttp10 = false): string {
  return isHttp10 ? '1.0 sluice' : '1.1 sluice';
}
