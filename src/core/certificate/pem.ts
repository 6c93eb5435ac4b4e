/**
 * Finds the blocks with a label in a PEM text (RFC 7468), each from its first dash to its last. Ignores text
 * between them. A regular expression would take quadratic time on beginnings without an end.
 *
 * @param label label such as `CERTIFICATE`
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

/** Returns the bytes of a block. @param block a result of {@link pemBlocks} */
export function bytesOfPem(block: string): Buffer {
  return Buffer.from(block.replaceAll(/-----[^-]+-----/g, ''), 'base64');
}
