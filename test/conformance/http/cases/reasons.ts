/** Where a proxy differs from the RFC, and why. */
import type { Deviation, Outcome } from '../case.ts';

const SILENCE: Outcome = { kind: 'waits' };
const VERSION_NOT_SUPPORTED: Outcome = { kind: 'refused', status: 505 };

export const EMPTY_QUERY = 'uWebSockets.js drops an empty query with its question mark.';

export const NO_ANSWER: Deviation = {
  outcome: SILENCE,
  why: 'uWebSockets.js considers the head incomplete, and closes the connection after 10 seconds.',
};
export const WRONG_STATUS: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js answers 505 to every request line that it cannot parse.',
};
export const ORIGIN_FORM_ONLY: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js accepts targets that begin with a slash, and answers 505 to others.',
};
export const HTTP_1_1_ONLY: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js answers HTTP/1.1 only.',
};
export const CUT_LINE: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js answers 505 if a read ends between the target and the end of the line.',
};
export const NO_EXTENSIONS: Deviation = {
  outcome: SILENCE,
  why: 'uWebSockets.js reads an extension as digits of the size, and waits for bytes that never come.',
};
export const UNENDED_CHUNK: Deviation = {
  outcome: SILENCE,
  why: 'uWebSockets.js waits for the end of a malformed chunk.',
};

/** Why the connection ends behind a body in chunks. */
export const CLOSES_BEHIND_CHUNKS =
  'With uWebSockets.js the end of a chunked body is uncertain, so the connection is not reused.';
export const NO_PIPELINING =
  'uWebSockets.js closes a connection if a request arrives before the last response.';
export const HIGH_BYTES =
  'uWebSockets.js reads bytes above 0x7f at the ends of a value as white space. Inside a value, bytes that are not UTF-8 become U+FFFD.';
export const LENIENT_CHUNKS =
  'uWebSockets.js still reads it as chunks. The endpoint gets new chunks, and later bytes are ignored.';
export const NO_TRAILERS = 'uWebSockets.js reads trailers as the next request, and closes the connection.';
export const NO_TRAILERS_OF_ENDPOINTS =
  'uWebSockets.js sends no trailers, so sluice asks endpoints for none.';
export const ANY_METHOD = 'uWebSockets.js accepts a method of any length.';
export const NAMELESS = 'uWebSockets.js drops headers without a name.';
export const REFUSED_IN_SILENCE =
  'Bytes after a refused request make uWebSockets.js close the connection before the response leaves.';
export const NO_EXPECTATIONS = 'Expect is ignored: uWebSockets.js answers 100 before sluice sees it.';
export const ONE_STATUS = 'uWebSockets.js answers 400 to every Transfer-Encoding except chunked.';
export const HEADS_AS_A_WHOLE =
  'uWebSockets.js counts the bytes of a head, and does not report which part is too large.';
