/**
 * Log entries: a line and the indented lines after it. Only pretty entries have more than one line. Neither
 * the end of a file nor a loss may split an entry.
 */
const NEWLINE = 0x0a;
const BLANK = 0x20;

/** Counts the entries that end in a text. */
export function countEntries(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) {
    if (text.charCodeAt(at + 1) !== BLANK) count++;
  }
  return count;
}

/** Counts the entries that end in bytes. */
export function countEntriesOf(bytes: Buffer): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] !== BLANK) count++;
  }
  return count;
}

/** Returns the length of the leading whole entries that fit into a number of bytes. 0 if none fits. */
export function wholeEntries(bytes: Buffer, most: number): number {
  if (most <= 0) return 0;
  if (bytes.length <= most) return bytes.length;
  for (
    let at = bytes.lastIndexOf(NEWLINE, most - 1);
    at !== -1;
    at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)
  ) {
    if (bytes[at + 1] !== BLANK) return at + 1;
  }
  return 0;
}

/** Returns the length of the first entry. */
export function firstEntry(bytes: Buffer): number {
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    if (bytes[at + 1] !== BLANK) return at + 1;
  }
  return bytes.length;
}
