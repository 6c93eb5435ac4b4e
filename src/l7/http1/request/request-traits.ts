import { listMembers, type RequestHead } from '../../../wire/http/request-head.ts';

/** What a request's head says about its connection and its body. */
interface RequestTraits {
  /** Whether the client wants to send another request on the connection (RFC 9112 section 9.3). */
  readonly keepsAlive: boolean;
  /** The length of the body in bytes, or that it comes in chunks; 0 for none. */
  readonly body: number | 'chunked';
  /** Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 section 10.1.1). */
  readonly expectsContinue: boolean;
  /** Whether the client expects something else, which nobody knows. */
  readonly expectsMore: boolean;
}

/** Reads what a head says about its connection and its body. @param head whose framing has been checked */
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
