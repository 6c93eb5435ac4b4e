import { isUtf8 } from 'node:buffer';
import { onlyHeaderOf, type RequestHead } from '../../../wire/http/request-head.ts';

/** User and password sent by a client. */
interface BasicCredentials {
  readonly user: string;
  readonly password: string;
}

/** Max bytes of user, colon and password: long passwords take longer to hash. */
const MAX_CREDENTIALS_BYTES = 1024;
const SCHEME = /^basic +/i;
/** Strict base64 (RFC 4648 section 4). Padding is optional, because some clients omit it. */
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const COLON = 0x3a;

/**
 * Reads the credentials of a request (RFC 7617 section 2).
 *
 * @returns undefined if the request has none, null if they are malformed
 */
export function readCredentials(head: RequestHead): BasicCredentials | null | undefined {
  const value = onlyHeaderOf(head, 'authorization');
  if (value === undefined) return undefined;
  // Two readers could take different lines.
  if (value === null) return null;
  const scheme = SCHEME.exec(value)?.[0];
  if (scheme === undefined) return undefined;
  return decode(value.slice(scheme.length));
}

function decode(text: string): BasicCredentials | null {
  if (text.length > Math.ceil(MAX_CREDENTIALS_BYTES / 3) * 4 || !BASE64.test(text)) return null;
  const bytes = Buffer.from(text, 'base64');
  // Node ignores surplus bits and wrong padding.
  const exact = bytes.toString('base64');
  if (text !== exact && text !== exact.replace(/=+$/, '')) return null;
  const colon = bytes.indexOf(COLON);
  if (colon < 0 || bytes.length > MAX_CREDENTIALS_BYTES || !isUtf8(bytes) || hasControl(bytes)) return null;
  return { user: bytes.toString('utf8', 0, colon), password: bytes.toString('utf8', colon + 1) };
}

/** Whether the credentials have a control character, which RFC 7617 forbids. bcrypt would stop at a NUL. */
function hasControl(bytes: Uint8Array): boolean {
  for (const byte of bytes) if (byte < 0x20 || byte === 0x7f) return true;
  return false;
}
