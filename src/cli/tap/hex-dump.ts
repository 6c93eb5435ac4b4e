/** Formats bytes for people. */

const BYTES_IN_LINE = 16;

/** Formats bytes as pairs of hexadecimal digits: `00 ff 3a`. @param max bytes to format */
export function hexPairs(bytes: Uint8Array, max: number): string {
  return Array.from(bytes.subarray(0, max), pair).join(' ');
}

/**
 * Formats bytes as `hexdump -C` does, 16 per line: offset, hexadecimal digits, visible ASCII. A line has at
 * most 78 columns, indent included.
 *
 * @returns lines, each ending in a newline; an empty string for no bytes
 */
export function hexDump(bytes: Uint8Array): string {
  let dump = '';
  for (let offset = 0; offset < bytes.length; offset += BYTES_IN_LINE) {
    const line = bytes.subarray(offset, offset + BYTES_IN_LINE);
    const digits = `${hexPairs(line, 8)}  ${hexPairs(line.subarray(8), 8)}`.padEnd(BYTES_IN_LINE * 3);
    const text = Array.from(line, (byte) =>
      byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : '.',
    ).join('');
    dump += `    ${offset.toString(16).padStart(4, '0')}  ${digits}  |${text}|\n`;
  }
  return dump;
}

function pair(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}
