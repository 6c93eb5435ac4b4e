import { CLOSE_ABNORMAL, CLOSE_NO_STATUS } from '../../../src/wire/frames/close-codes.ts';
import type { Redaction } from '../../../src/wire/redaction/redaction.ts';
import { REPLY_TEXT, type EventLog } from '../../recorded/event-log.ts';
import { redactMessage } from '../../recorded/redact-message.ts';

/** Bytes of a payload that a description shows: in all, and before the first difference. */
const SHOWN_BYTES = 40;
const SHOWN_BEFORE = 16;

/** Compares replies with the recording. */
export class ReplyCheck {
  readonly #log: EventLog;
  readonly #redaction: Redaction;

  /** @param redaction applied to replies: recorded replies are redacted already */
  constructor(log: EventLog, redaction: Redaction) {
    this.#log = log;
    this.#redaction = redaction;
  }

  /**
   * Compares a message with the recorded reply of an event.
   *
   * @param length length of the message
   * @param bytes start of the message: shorter than `length` if the message is too long to keep
   * @returns null if they are equal, otherwise a description of the difference in printable ASCII
   */
  compare(event: number, length: number, bytes: Buffer, isText: boolean): string | null {
    const expected = this.#log.payload(event)!;
    const expectsText = this.#log.kind(event) === REPLY_TEXT;
    if (length > bytes.length) return `${length} bytes came, which are too many to be compared`;
    if (isText === expectsText && expected.equals(bytes)) return null;
    const redacted = redactMessage(this.#redaction, bytes, isText);
    if (redacted === null) return `${length} bytes came, in which the rules of redaction would cost too much`;
    if (isText === expectsText && expected.equals(redacted)) return null;
    const from = Math.max(0, firstDifference(expected, redacted) - SHOWN_BEFORE);
    const [wanted, come] = [describe(expected, expectsText, from), describe(redacted, isText, from)];
    return `expected ${wanted}, came ${come}`;
  }
}

/** Describes a close code that differs from the recorded one. */
export function describeClose(expected: number, come: number): string {
  return `expected ${closeText(expected)}, came ${closeText(come)}`;
}

function closeText(code: number): string {
  if (code === CLOSE_ABNORMAL) return 'an end without a close frame';
  return code === CLOSE_NO_STATUS ? 'a close without a code' : `close ${code}`;
}

function firstDifference(a: Buffer, b: Buffer): number {
  const end = Math.min(a.length, b.length);
  let at = 0;
  while (at < end && a[at] === b[at]) at++;
  return at;
}

function describe(payload: Buffer, isText: boolean, from: number): string {
  const part = payload.subarray(from, from + SHOWN_BYTES);
  const shown = isText ? quote(part.toString('utf8')) : part.toString('hex');
  const [before, behind] = [from > 0 ? '…' : '', from + SHOWN_BYTES < payload.length ? '…' : ''];
  return `${isText ? 'text' : 'binary'} ${before}${shown}${behind} (${payload.length} bytes)`;
}

/** Quotes a text. Escapes all but printable ASCII, because a terminal may act on other characters. */
function quote(text: string): string {
  const escaped = JSON.stringify(text);
  return escaped.replace(/[^\x20-\x7e]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
