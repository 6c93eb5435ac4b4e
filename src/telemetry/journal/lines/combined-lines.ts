import type {
  RequestFacts,
  HandshakeRefusal,
  RequestEnd,
  SessionEnd,
  SessionStart,
  TunnelEnd,
  TunnelStart,
} from '../entries.ts';
import { escaped } from './escaped.ts';
import type { LineFormat } from './line-format.ts';

const SWITCHING_PROTOCOLS = 101;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Writes access lines in Apache's combined log format: `%h %l %u %t "%r" %>s %b "%{Referer}i"
 * "%{User-Agent}i"`. A session has one line at its end, with status 101 and the bytes sent to the client. The
 * time is the request's arrival, in UTC.
 */
export class CombinedLines implements LineFormat {
  #second = -1;
  /** `%t` of {@link #second}. */
  #time = '';

  request({ requestFacts, method, status, sent, seconds }: RequestEnd): string {
    return this.#line(requestFacts, method, status, sent, seconds);
  }

  handshakeRefused({ requestFacts, status, seconds }: HandshakeRefusal): string {
    return this.#line(requestFacts, 'GET', status, 0, seconds);
  }

  handshakesRefused(): string {
    return '';
  }

  sessionOpened(): string {
    return '';
  }

  sessionClosed({ requestFacts }: SessionStart, { bytesDownstream, seconds }: SessionEnd): string {
    return this.#line(requestFacts, 'GET', SWITCHING_PROTOCOLS, bytesDownstream, seconds);
  }

  tunnelOpened(): string {
    return '';
  }

  /** Formats a tunnel without a request, as Apache formats a connection without one. */
  tunnelClosed({ client }: TunnelStart, { bytesDownstream, seconds }: TunnelEnd): string {
    return `${orDash(client)} - - ${this.#timeBefore(seconds)} "-" - ${bytes(bytesDownstream)} "-" "-"\n`;
  }

  #line(
    requestFacts: RequestFacts,
    method: string | undefined,
    status: number,
    sent: number,
    seconds: number,
  ): string {
    const { client, principal, path, isHttp10, referer, userAgent } = requestFacts;
    const request =
      method === undefined || path === undefined
        ? '-'
        : `${escaped(method)} ${escaped(path, true)} HTTP/1.${isHttp10 ? 0 : 1}`;
    const user = principal === undefined || principal === '' ? '-' : escaped(principal, true);
    return (
      `${orDash(client)} - ${user} ${this.#timeBefore(seconds)} "${request}" ${status} ${bytes(sent)} ` +
      `"${orDash(referer)}" "${orDash(userAgent)}"\n`
    );
  }

  #timeBefore(seconds: number): string {
    const second = Math.floor(Date.now() / 1000 - seconds);
    if (second !== this.#second) {
      this.#second = second;
      this.#time = commonTime(new Date(second * 1000));
    }
    return this.#time;
  }
}

/** Returns a time such as `[10/Oct/2000:13:55:36 +0000]`. */
function commonTime(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const date = `${two(time.getUTCDate())}/${MONTHS[time.getUTCMonth()]!}/${time.getUTCFullYear()}`;
  return `[${date}:${two(time.getUTCHours())}:${two(time.getUTCMinutes())}:${two(time.getUTCSeconds())} +0000]`;
}

/** Returns a number of bytes in the form of `%b`. */
function bytes(count: number): string {
  return count === 0 ? '-' : String(count);
}

function orDash(text: string | undefined): string {
  return text === undefined || text === '' ? '-' : escaped(text);
}
