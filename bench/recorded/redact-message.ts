import type { Redaction } from '../../src/wire/redaction/redaction.ts';

/**
 * Applies rules of redaction to a message, as a tap does.
 *
 * @returns null if that would cost too much, the same bytes if no rule matches
 */
export function redactMessage(redaction: Redaction, bytes: Buffer, isText: boolean): Buffer | null {
  if (redaction.isEmpty) return bytes;
  if (!isText) {
    const redacted = redaction.binary(bytes);
    return redacted === bytes || redacted === null ? (redacted as Buffer | null) : Buffer.from(redacted);
  }
  const redacted = redaction.text(bytes.toString());
  return redacted === null ? null : Buffer.from(redacted);
}
