import type { HeaderEdits } from './header-edits.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

type SentHeaders = Pick<RequestHead, 'headers'>;

/** Schemes that authenticate the connection instead of the request (RFC 4559, MS-NTHT, MS-CSSP). */
const SCHEMES = 'ntlm|negotiate|kerberos|nego2|credssp';
const CREDENTIALS = new RegExp(`^(?:${SCHEMES})(?![^ \\t])`, 'i');
/** A challenge at the beginning of a list member. */
const CHALLENGE = new RegExp(`(?:^|,)[ \\t]*(?:${SCHEMES})(?![^ \\t,])`, 'i');
/** Quoted strings, in which commas do not separate. The last string may lack its end. */
const QUOTED = /"(?:[^"\\]|\\.)*"?/g;

/** The authentication of a connection by a request that goes to an endpoint. */
export interface ConnectionLogin {
  /** Whether the request has credentials. */
  readonly authorizes: boolean;
  /** The credentials that the route sends with every request; empty if it sends none. */
  readonly ofRoute: string;
}

const NO_LOGIN: ConnectionLogin = { authorizes: false, ofRoute: '' };
const CLIENTS_LOGIN: ConnectionLogin = { authorizes: true, ofRoute: '' };

/**
 * Returns a function that tells how a request authenticates its connection. A route with credentials sends them with every
 * request. The client's credentials count only if the route passes them on.
 */
export function loginsOf({ dropped, added }: HeaderEdits): (head: SentHeaders) => ConnectionLogin {
  const ofRoute = credentialsIn(added);
  if (ofRoute !== '') {
    const login = { authorizes: true, ofRoute };
    return () => login;
  }
  if (dropped.has('authorization')) return () => NO_LOGIN;
  return (head) => (authorizesConnection(head) ? CLIENTS_LOGIN : NO_LOGIN);
}

/** Returns a route's credentials as lines; empty if none of them authenticates a connection. */
function credentialsIn(added: readonly string[]): string {
  const lines: string[] = [];
  for (let index = 0; index < added.length; index += 2) {
    const name = added[index]!.toLowerCase();
    const value = added[index + 1]!;
    const isLogin = name === 'authorization' || name === 'proxy-authorization';
    if (isLogin && CREDENTIALS.test(value)) lines.push(`${name}: ${value}`);
  }
  return lines.join('\n');
}

/** Tells whether a client's request authenticates its connection. Proxy-Authorization is not passed on. */
function authorizesConnection({ headers }: SentHeaders): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === 'authorization' && CREDENTIALS.test(headers[index + 1]!)) return true;
  }
  return false;
}

/** Tells whether a response, of any status, asks the client to authenticate its connection. */
export function challengesConnection({ headers }: Pick<ResponseHead, 'headers'>): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (name !== 'www-authenticate' && name !== 'proxy-authenticate') continue;
    if (CHALLENGE.test(headers[index + 1]!.replace(QUOTED, '""'))) return true;
  }
  return false;
}
