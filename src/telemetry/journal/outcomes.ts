/**
 * Rates the ends of requests, handshakes, sessions and tunnels: one table for the access log, events and
 * spans.
 */
import type { Outcome } from './journal.ts';

/**
 * Close codes of a normal end (RFC 6455 section 7.4). Codes from 3000 on belong to applications and count as
 * normal, too.
 */
const NORMAL_CLOSES: ReadonlySet<number> = new Set([1000, 1001, 1005, 1012, 1013]);
const MIN_APPLICATION_CODE = 3000;

/** Refusals that a well-behaved client may get. */
const HARMLESS_HANDSHAKES: ReadonlySet<string> = new Set(['client_gone', 'not_websocket', 'no_route']);

/**
 * Rates a request.
 *
 * @param isOwn whether the proxy refused the request with its own response
 * @param isCounted whether the refusal has a counter, or the response was cut
 */
export function requestOutcome(status: number, isOwn: boolean, isCounted: boolean): Outcome {
  if (status >= 500 || isCounted) return 'failure';
  return isOwn ? 'refusal' : 'success';
}

/**
 * Rates a handshake that did not become a session.
 *
 * @param status status of the response; `refused` means the application's own
 */
export function handshakeOutcome(reason: string, status: number): Outcome {
  if (reason === 'refused') return status >= 500 ? 'failure' : 'refusal';
  return HARMLESS_HANDSHAKES.has(reason) ? 'refusal' : 'failure';
}

/** Rates a session by its close code and the side that ended it. */
export function sessionOutcome(side: string, code: number): Outcome {
  if (!NORMAL_CLOSES.has(code) && code < MIN_APPLICATION_CODE) return 'failure';
  return side === 'proxy' ? 'refusal' : 'success';
}

/** Rates a tunnel by the reason of its end. */
export function tunnelOutcome(reason: string): Outcome {
  switch (reason) {
    case 'closed':
      return 'success';
    case 'reset':
    case 'fault':
      return 'failure';
    default:
      return 'refusal';
  }
}
