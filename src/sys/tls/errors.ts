import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import { LIBRARY_TLS, openssl, usedOpenssl } from '../openssl.ts';

/** An error of OpenSSL's. */
interface TakenError {
  /** 0 if there was no error. */
  readonly reason: number;
  /** In a few words: no bytes of a client's. */
  readonly text: string;
}

/** The parts of an error's code: ERR_GET_REASON, ERR_GET_LIB. */
const REASON_MASK = 0x7f_ffff;
const LIBRARY_SHIFT = 23;
const LIBRARY_MASK = 0xff;
const MAX_TEXT = 120;

/** A call of OpenSSL that has failed while a listener is set up. The message has OpenSSL's words. */
export class TlsSetupError extends Error {
  override readonly name = 'TlsSetupError';
}

/**
 * Removes all errors of this thread. OpenSSL judges a failed call by them, and Node leaves some: call this after each turn
 * of Node's event loop. Does nothing in a thread that has not used OpenSSL by this room.
 */
export function clearErrors(): void {
  usedOpenssl()?.clearErrors();
}

/** Removes all errors of this thread, and returns the first of TLS itself, which says most; else the oldest. */
export function takeError(): TakenError {
  const calls = openssl();
  const oldest = calls.takeError();
  let error = oldest;
  while (error !== 0 && libraryOf(error) !== LIBRARY_TLS) error = calls.takeError();
  calls.clearErrors();
  return described(error === 0 ? oldest : error);
}

/** Makes an error of what OpenSSL says about the call before, and removes its errors. @param what has failed */
export function setupError(what: string): TlsSetupError {
  const calls = openssl();
  const { text } = described(calls.peekError());
  const words = [what, text, errorDetail()].filter((part) => part !== '').join(': ');
  calls.clearErrors();
  return new TlsSetupError(words);
}

function described(error: number): TakenError {
  const reason = error & REASON_MASK;
  const text = error === 0 ? '' : (openssl().errorText(error) ?? `error ${reason}`);
  return { reason, text: text.slice(0, MAX_TEXT) };
}

function libraryOf(error: number): number {
  return (error >>> LIBRARY_SHIFT) & LIBRARY_MASK;
}

/** A pointer, a number, and a text that has been copied. */
const POINTER = { start: 0, end: 8 } as const;
const FLAGS = { start: 8, end: 12 } as const;
const TEXT = { start: 16, end: 16 + MAX_TEXT } as const;
/** `ERR_TXT_STRING`: what an error has is text. */
const IS_TEXT = 2;

/** Returns the text that the oldest error has of its own, such as the name of a group. */
function errorDetail(): string {
  const memory = new PinnedBuffer(TEXT.end);
  const { start, end } = TEXT;
  const pointer = addressWithin(memory, POINTER.start, POINTER.end);
  openssl().peekErrorData(pointer, addressWithin(memory, FLAGS.start, FLAGS.end));
  const { bytes } = memory;
  const source = Number(bytes.readBigUInt64LE(POINTER.start));
  if ((bytes.readInt32LE(FLAGS.start) & IS_TEXT) === 0 || source === 0) return '';
  const calls = nativeCalls();
  const length = calls.textLength(source, end - start);
  calls.copy(addressWithin(memory, start, end), source, length);
  return bytes.toString('latin1', start, start + length);
}
