import type { Redaction } from '../../src/wire/redaction/redaction.ts';

/**
 * Applies redaction rules to a message, as a tap does.
 *
 * @returns null if the rules would cost too much, or the same bytes if no rule matches
 */
export function redactMessage(redaction: Redaction, bytes: Buffer, isText: boolean): Buffer | null {
  if (isText) {
    const text = bytes.toString();
    const redacted = redaction.redactText(text);
    if (redacted === text) return bytes;
    return redacted === null ? null : Buffer.from(redacted);
  }
  const redacted = redaction.redactBytes(bytes);
  if (redacted === bytes) return bytes;
  return redacted === null ? null : Buffer.from(redacted);
}
