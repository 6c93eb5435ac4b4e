/** Reads the keys `deny` and `allow` of access: CIDR blocks, in the configuration or in separate files. */
import { addressBlock } from '../../syntax/address-block.ts';
import type { BlockSource, Context } from '../../syntax/context.ts';
import type { BaseDirectory } from '../../syntax/files.ts';
import { textFile } from '../../syntax/files.ts';
import type { Format } from '../../syntax/formats.ts';
import { FormatError, describe } from '../../syntax/formats.ts';
import type { Located } from '../../syntax/section.ts';
import { Section, isMapping, readValue } from '../../syntax/section.ts';

const ENTRY = { what: 'an entry of addresses', keys: ['file'] };
const ENTRIES = 'IP addresses, CIDR blocks and { file: PATH }';

/** Reads the key `deny`. */
export function readDeny(access: Section, context: Context): readonly string[] {
  return readBlocks(access, access.anyNumber('deny', ENTRIES), context);
}

/** Reads the key `allow`. An empty list is an error, because it would refuse everyone. */
export function readAllow(access: Section, context: Context): readonly string[] {
  return readBlocks(access, access.oneOrMore('allow', ENTRIES), context);
}

function readBlocks(
  { problems }: Section,
  entries: readonly Located<unknown>[],
  { base, blockLists }: Context,
): readonly string[] {
  const sources: BlockSource[] = [];
  const blocks: string[] = [];
  for (const { value, path } of entries) {
    if (!isMapping(value)) {
      const block = readValue(value, path, problems, addressBlock, null);
      if (block !== null) sources.push(block);
      if (block !== null) blocks.push(block);
      continue;
    }
    const section = Section.of(value, path, problems, ENTRY);
    const file = section?.required<BlockFile | null>('file', blockFile(base), null) ?? null;
    if (file === null) continue;
    sources.push({ file: file.path });
    // A spread of 200,000 arguments would overflow the stack.
    for (const block of file.blocks) blocks.push(block);
  }
  if (sources.some((source) => typeof source !== 'string')) blockLists.set(blocks, sources);
  return blocks;
}

interface BlockFile {
  /** Absolute. */
  readonly path: string;
  readonly blocks: readonly string[];
}

/** Returns the format of a file with one block per line. Allows empty lines and comments after `#`. */
function blockFile(base: BaseDirectory): Format<BlockFile> {
  const read = textFile(base);
  return (value) => {
    const { path, text } = read(value);
    const blocks: string[] = [];
    for (const [index, line] of text
      .replace(/^\ufeff/, '')
      .split('\n')
      .entries()) {
      const block = (/^[^#]*/.exec(line)?.[0] ?? '').trim();
      if (block !== '') blocks.push(blockOfLine(block, `line ${index + 1} of ${describe(value)}`));
    }
    return { path, blocks };
  };
}

function blockOfLine(text: string, place: string): string {
  try {
    return addressBlock(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new FormatError(`${place}: ${error.message}`);
  }
}
