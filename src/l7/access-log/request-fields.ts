import { fromByteText } from '../../core/byte-text.ts';
import type { RequestFacts } from '../../telemetry/journal/entries.ts';
import type { ClientIdentity } from '../../wire/forwarding/client-identity.ts';
import { headerOf, type RequestHead } from '../../wire/http/request-head.ts';
import { offeredSubprotocols } from '../../wire/upgrade/upgrade-request.ts';

const MAX_PATH_CHARACTERS = 1024;
const MAX_HEADER_CHARACTERS = 256;
const MAX_METHOD_CHARACTERS = 32;
/** Max length of a logged subprotocol. Longer ones are hidden: some clients send a token as a subprotocol. */
const MAX_SUBPROTOCOL_CHARACTERS = 31;

/** The logged part of a client's identity. */
export type LoggedClient = Pick<
  ClientIdentity,
  'address' | 'requestId' | 'principal' | 'certificate' | 'vpcEndpointId' | 'trace' | 'proto'
>;

/**
 * Returns the logged facts about a request, as the client sent them. Long values are truncated.
 *
 * @param needsReferer whether the journal needs the `Referer` header
 */
export function requestFactsOf(head: RequestHead, client: LoggedClient, needsReferer: boolean): RequestFacts {
  const { certificate } = client;
  return {
    client: client.address,
    requestId: client.requestId,
    traceId: client.trace?.traceId,
    principal: client.principal,
    certSubject: certificate === null ? undefined : cut(certificate.subject, MAX_HEADER_CHARACTERS),
    certFingerprint: certificate?.fingerprint,
    vpcEndpointId: client.vpcEndpointId ?? undefined,
    host: headerField(head, 'host'),
    path: head.path === '' ? undefined : cut(head.path, MAX_PATH_CHARACTERS),
    origin: headerField(head, 'origin'),
    userAgent: headerField(head, 'user-agent'),
    referer: needsReferer ? withoutSecrets(headerField(head, 'referer')) : undefined,
    isHttp10: head.isHttp10 === true,
  };
}

/**
 * Returns the method for a line, undefined if it is incomplete. The method may be any token, so a long one is
 * truncated.
 */
export function methodField({ method }: RequestHead): string | undefined {
  return method === '' ? undefined : cut(method, MAX_METHOD_CHARACTERS);
}

/** Returns the offered subprotocols of a handshake as one text, undefined if there are none. */
export function offeredField(head: RequestHead): string | undefined {
  const offered = offeredSubprotocols(head);
  if (offered.length === 0) return undefined;
  return cut(offered.map(subprotocolField).join(', '), MAX_HEADER_CHARACTERS);
}

/** Returns a subprotocol, or `...` instead of a long one. */
export function subprotocolField(subprotocol: string): string {
  return subprotocol.length > MAX_SUBPROTOCOL_CHARACTERS ? '...' : subprotocol;
}

function headerField(head: RequestHead, name: string): string | undefined {
  const value = headerOf(head, name);
  return value === undefined ? undefined : cut(value, MAX_HEADER_CHARACTERS);
}

/** Decodes a part of a head for readers, and truncates it. */
function cut(byteText: string, maxCharacters: number): string {
  const text = fromByteText(byteText);
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters)}...` : text;
}

/** Removes the query, fragment and user info of a URL: each may contain secrets. */
function withoutSecrets(url: string | undefined): string | undefined {
  return url?.replace(/[?#].*/s, '').replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/]*@/i, '$1//');
}
