import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import { LIBRARY_TLS, openssl, loadedOpenssl } from '../openssl.ts';

/** An OpenSSL error. */
interface TakenError {
  /** 0 if there was no error. */
  readonly reason: number;
  /** Short description. Contains no bytes from a client. */
  readonly text: string;
}

/** Parts of an error code: ERR_GET_REASON, ERR_GET_LIB. */
const REASON_MASK = 0x7f_ffff;
const LIBRARY_SHIFT = 23;
const LIBRARY_MASK = 0xff;
const MAX_TEXT = 120;

/** A failed OpenSSL call during listener setup. The message contains OpenSSL's text. */
export class TlsSetupError extends Error {
  override readonly name = 'TlsSetupError';
}

/**
 * Removes all errors of this thread. OpenSSL judges a failed call by them, and Node leaves some: call this
 * after each turn of Node's event loop. Does nothing in a thread that has not used OpenSSL through this room.
 */
export function clearErrors(): void {
  loadedOpenssl()?.clearErrors();
}

/**
 * Removes all errors of this thread. Returns the first TLS error, which is the most specific, or the oldest
 * error.
 */
export function takeError(): TakenError {
  const calls = openssl();
  const oldest = calls.takeError();
  let error = oldest;
  while (error !== 0 && libraryOf(error) !== LIBRARY_TLS) error = calls.takeError();
  calls.clearErrors();
  return described(error === 0 ? oldest : error);
}

/**
 * Creates an error from the previous OpenSSL call, and removes its errors.
 *
 * @param what the operation that failed
 */
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

/** A pointer, a number, and copied text. */
const POINTER = { start: 0, end: 8 } as const;
const FLAGS = { start: 8, end: 12 } as const;
const TEXT = { start: 16, end: 16 + MAX_TEXT } as const;
/** `ERR_TXT_STRING`: the error's data is text. */
const IS_TEXT = 2;

/** Returns the oldest error's own text, such as the name of a group. */
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
