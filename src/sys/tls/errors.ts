import { PinnedBuffer, addressWithin } from '../memory/pinned-buffer.ts';
import { nativeCalls } from '../native-calls.ts';
import { openssl, usedOpenssl } from '../openssl.ts';

/** An error of OpenSSL's. Codes have the reason in the low 23 bits (ERR_GET_REASON). */
export interface TakenError {
  /** 0 if there was no error. */
  readonly reason: number;
  /** In a few words: no bytes of a client's. */
  readonly text: string;
}

const REASON_MASK = 0x7f_ffff;
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

/** Takes the oldest error of this thread, and removes all. */
export function takeError(): TakenError {
  const calls = openssl();
  const error = calls.peekError();
  const reason = (error % 2 ** 32) & REASON_MASK;
  const text = error === 0 ? '' : (calls.errorText(error) ?? `error ${reason}`);
  calls.clearErrors();
  return { reason, text: text.slice(0, MAX_TEXT) };
}

/** Makes an error of what OpenSSL says about the call before, and removes its errors. @param what has failed */
export function setupError(what: string): TlsSetupError {
  const detail = errorDetail();
  const { text } = takeError();
  const words = [text, detail].filter((part) => part !== '').join(': ');
  return new TlsSetupError(words === '' ? what : `${what}: ${words}`);
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
