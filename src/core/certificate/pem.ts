/**
 * Finds the blocks with a label in a PEM text (RFC 7468), each from its first dash to its last. What stands between them does
 * not count. A regular expression would take quadratic time for beginnings without an end.
 *
 * @param label such as `CERTIFICATE`
 */
export function pemBlocks(text: string, label: string): string[] {
  const beginning = `-----BEGIN ${label}-----`;
  const ending = `-----END ${label}-----`;
  const blocks: string[] = [];
  for (let end = 0; ;) {
    const start = text.indexOf(beginning, end);
    const last = start < 0 ? -1 : text.indexOf(ending, start);
    if (last < 0) return blocks;
    end = last + ending.length;
    blocks.push(text.slice(start, end));
  }
}

/** Returns the bytes of a block. @param block as {@link pemBlocks} finds it */
export function bytesOfPem(block: string): Buffer {
  return Buffer.from(block.replaceAll(/-----[^-]+-----/g, ''), 'base64');
}
