import { listMembers, type RequestHead } from '../../../wire/http/request-head.ts';

/** Facts about a request's connection and body, from its head. */
interface RequestTraits {
  /** Whether the client wants to send another request on the connection (RFC 9112 section 9.3). */
  readonly keepsAlive: boolean;
  /** Length of the body in bytes, `chunked`, or 0 for none. */
  readonly body: number | 'chunked';
  /** Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  /** Whether the client has another expectation, which no server knows. */
  readonly expectsMore: boolean;
}

/** Reads the facts about the connection and the body. @param head a head with checked framing */
export function traitsOf({ headers, isHttp10 }: RequestHead): RequestTraits {
  let body: number | 'chunked' = 0;
  let closes = false;
  let keeps = isHttp10 !== true;
  let expectsContinue = false;
  let expectsMore = false;
  for (let index = 0; index < headers.length; index += 2) {
    const value = headers[index + 1]!;
    switch (headers[index]!) {
      case 'connection':
        for (const member of listMembers(value)) {
          const option = member.toLowerCase();
          if (option === 'close') closes = true;
          else if (option === 'keep-alive') keeps = true;
        }
        break;
      case 'content-length':
        body = Number(value);
        break;
      case 'transfer-encoding':
        body = 'chunked';
        break;
      case 'expect':
        // RFC 9110 section 10.1.1: HTTP/1.0 has no expectations.
        if (isHttp10 === true || value === '') break;
        if (/^100-continue$/i.test(value)) expectsContinue = true;
        else expectsMore = true;
        break;
      default:
    }
  }
  return { keepsAlive: keeps && !closes, body, expectsContinue: expectsContinue && body !== 0, expectsMore };
}
