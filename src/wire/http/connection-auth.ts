import type { HeaderEdits } from './header-edits.ts';
import type { RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

type SentHeaders = Pick<RequestHead, 'headers'>;

/** Schemes that authenticate a connection, not a request (RFC 4559, MS-NTHT, MS-CSSP). */
const SCHEMES = 'ntlm|negotiate|kerberos|nego2|credssp';
const CREDENTIALS = new RegExp(`^(?:${SCHEMES})(?![^ \\t])`, 'i');
/** A challenge at the start of a list member. */
const CHALLENGE = new RegExp(`(?:^|,)[ \\t]*(?:${SCHEMES})(?![^ \\t,])`, 'i');
/** Quoted strings, whose commas do not separate members. The last string may be unterminated. */
const QUOTED = /"(?:[^"\\]|\\.)*"?/g;

/** How a request to an endpoint authenticates its connection. */
export interface ConnectionLogin {
  /** Whether the request carries credentials for the connection. */
  readonly authorizes: boolean;
  /** The credentials that the route adds to every request; empty without any. */
  readonly routeCredentials: string;
}

const NO_LOGIN: ConnectionLogin = { authorizes: false, routeCredentials: '' };
const CLIENTS_LOGIN: ConnectionLogin = { authorizes: true, routeCredentials: '' };

/**
 * Returns a function that finds how a request authenticates its connection. A route's own credentials go with
 * every request. A client's credentials count only if the route forwards them.
 */
export function connectionLoginFinder({
  dropped,
  added,
}: HeaderEdits): (head: SentHeaders) => ConnectionLogin {
  const routeCredentials = credentialsIn(added);
  if (routeCredentials !== '') {
    const login = { authorizes: true, routeCredentials };
    return () => login;
  }
  if (dropped.has('authorization')) return () => NO_LOGIN;
  return (head) => (authorizesConnection(head) ? CLIENTS_LOGIN : NO_LOGIN);
}

/** Returns a route's credentials as lines; empty if none authenticates a connection. */
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

/** Reports whether a client's request authenticates its connection. Proxy-Authorization is not forwarded. */
function authorizesConnection({ headers }: SentHeaders): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === 'authorization' && CREDENTIALS.test(headers[index + 1]!)) return true;
  }
  return false;
}

/** Reports whether a response, of any status, challenges the client to authenticate its connection. */
export function challengesConnection({ headers }: Pick<ResponseHead, 'headers'>): boolean {
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index];
    if (name !== 'www-authenticate' && name !== 'proxy-authenticate') continue;
    if (CHALLENGE.test(headers[index + 1]!.replace(QUOTED, '""'))) return true;
  }
  return false;
}
