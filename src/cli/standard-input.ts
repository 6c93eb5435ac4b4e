/** Reads a configuration from standard input. */
import { MAX_CONFIG_BYTES } from '../config/sources/source-reader.ts';
import { StartError, messageOf } from '../core/errors.ts';
import { formatByteSize } from '../core/units/byte-size.ts';

/**
 * Reads a stream to its end.
 *
 * @throws StartError if the stream fails, or has more bytes than a configuration may have
 */
export async function readStandardInput(input: AsyncIterable<Buffer> = process.stdin): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of input) {
      length += chunk.length;
      if (length > MAX_CONFIG_BYTES) break;
      chunks.push(chunk);
    }
  } catch (error) {
    throw new StartError(`standard input cannot be read: ${messageOf(error)}`);
  }
  if (length <= MAX_CONFIG_BYTES) return Buffer.concat(chunks).toString('utf8');
  throw new StartError(
    `standard input has more than ${formatByteSize(MAX_CONFIG_BYTES)}: leave out comments and defaults`,
  );
}
