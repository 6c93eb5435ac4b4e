import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** Schemes that authenticate the connection instead of the request (RFC 4559, MS-NTHT, MS-CSSP). */
const SCHEMES = 'ntlm|negotiate|kerberos|nego2|credssp';
const CREDENTIALS = new RegExp(`^(?:${SCHEMES})(?![^ \\t])`, 'i');
/** A challenge at the beginning of a list member. */
const CHALLENGE = new RegExp(`(?:^|,)[ \\t]*(?:${SCHEMES})(?![^ \\t,])`, 'i');
/** Quoted strings, in which commas separate nothing; the last string may lack its end. */
const QUOTED = /"(?:[^"\\]|\\.)*"?/g;

/** Whether a request authenticates its connection. */
export function authorizesConnection({ headers }: Pick<RequestHead, 'headers'>): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === 'authorization' && CREDENTIALS.test(headers[index + 1]!)) return true;
  }
  return false;
}

/** Whether a response, of whatever status, asks the client to authenticate its connection. */
export function challengesConnection({ headers }: Pick<ResponseHead, 'headers'>): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (name !== 'www-authenticate' && name !== 'proxy-authenticate') continue;
    if (CHALLENGE.test(headers[index + 1]!.replace(QUOTED, '""'))) return true;
  }
  return false;
}
