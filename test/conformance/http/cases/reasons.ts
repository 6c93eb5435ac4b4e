/** Where a proxy differs from the RFC, and why. */
import type { Deviation, Outcome } from '../case.ts';

const SILENCE: Outcome = { kind: 'waits' };
const VERSION_NOT_SUPPORTED: Outcome = { kind: 'refused', status: 505 };

export const EMPTY_QUERY = 'uWebSockets.js leaves out an empty query, with its question mark.';

export const NO_ANSWER: Deviation = {
  outcome: SILENCE,
  why: 'uWebSockets.js takes the head for one that is not complete, and closes the connection after 10 seconds.',
};
export const WRONG_STATUS: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js answers 505 to every request line that it does not understand.',
};
export const ORIGIN_FORM_ONLY: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js understands targets that begin with a slash, and answers 505 to others.',
};
export const HTTP_1_1_ONLY: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js answers HTTP/1.1 only.',
};
export const CUT_LINE: Deviation = {
  outcome: VERSION_NOT_SUPPORTED,
  why: 'uWebSockets.js answers 505 where one read ends between the target and the end of the line.',
};
export const NO_EXTENSIONS: Deviation = {
  outcome: SILENCE,
  why: 'uWebSockets.js takes an extension for more digits of the size, and waits for more than there is.',
};
export const UNENDED_CHUNK: Deviation = {
  outcome: SILENCE,
  why: 'uWebSockets.js waits for the end of what is no chunk.',
};

/** Why the connection ends behind a body in chunks. */
export const CLOSES_BEHIND_CHUNKS =
  'uWebSockets.js reads chunks in a way that leaves the end of the body uncertain, so the connection is not used again.';
export const NO_PIPELINING =
  'uWebSockets.js closes a connection on which a request comes while another is answered.';
export const HIGH_BYTES =
  'uWebSockets.js takes bytes above 0x7f at the ends of a value for white space, and inside it hands over what is not UTF-8 as U+FFFD.';
export const LENIENT_CHUNKS =
  'uWebSockets.js reads it as chunks all the same. The endpoint gets new chunks, and nothing behind them is read.';
export const NO_TRAILERS = 'uWebSockets.js takes trailers for the next request, and closes the connection.';
export const NO_TRAILERS_OF_ENDPOINTS =
  'uWebSockets.js sends no trailers, so endpoints are not asked for any.';
export const ANY_METHOD = 'uWebSockets.js takes a method of any length.';
export const NAMELESS = 'uWebSockets.js leaves out what has no name.';
export const REFUSED_IN_SILENCE =
  'What comes behind a request that is refused makes uWebSockets.js close the connection before the answer has gone.';
export const NO_EXPECTATIONS = 'Expectations are not looked at: uWebSockets.js has answered 100 by then.';
export const ONE_STATUS = 'uWebSockets.js answers 400 to every Transfer-Encoding but chunked.';
export const HEADS_AS_A_WHOLE =
  'uWebSockets.js counts the bytes of a head, and does not say which part is too large.';
