/** Where the proxy differs from the RFC, and why. */
import type { Known } from '../case.ts';

export const NO_ANSWER: Known = {
  wanted: '400, closed',
  why: 'uWebSockets.js takes the head for one that is not complete, and closes the connection after 10 seconds.',
};
export const WRONG_STATUS: Known = {
  wanted: '400, closed',
  why: 'uWebSockets.js answers 505 to every request line that it does not understand.',
};
export const ORIGIN_FORM_ONLY: Known = {
  wanted: '200, open',
  why: 'uWebSockets.js understands targets that begin with a slash, and answers 505 to others.',
};
export const HTTP_1_0: Known = {
  wanted: '200, closed',
  why: 'uWebSockets.js answers HTTP/1.1 only.',
};
export const NO_PIPELINING: Known = {
  wanted: '200, 200, open',
  why: 'uWebSockets.js closes a connection on which a request comes while another is answered.',
};
export const HIGH_BYTES: Known = {
  wanted: 'the value as it is, or 400',
  why: 'uWebSockets.js takes bytes above 0x7f at the ends of a value for white space, and inside it hands over what is not UTF-8 as U+FFFD.',
};
export const LENIENT_CHUNKS: Known = {
  wanted: '400, closed',
  why: 'uWebSockets.js reads it as chunks all the same. The endpoint gets new chunks, and nothing behind them is read.',
};
export const NO_EXTENSIONS: Known = {
  wanted: '200, closed',
  why: 'uWebSockets.js takes an extension for more digits of the size, and waits for more than there is.',
};
export const NO_TRAILERS: Known = {
  wanted: '200, closed',
  why: 'uWebSockets.js takes trailers for the next request, and closes the connection.',
};
export const NAMELESS: Known = {
  wanted: '400, closed',
  why: 'uWebSockets.js leaves out what has no name.',
};
export const EMPTY_QUERY: Known = {
  wanted: 'the target as it is',
  why: 'An empty query is left out, with its question mark.',
};
export const REFUSED_IN_SILENCE: Known = {
  wanted: '400, closed',
  why: 'What comes behind a request that is refused makes uWebSockets.js close the connection before the answer has gone.',
};
export const CUT_LINE: Known = {
  wanted: '200, open',
  why: 'uWebSockets.js answers 505 where one read ends between the target and the end of the line.',
};
