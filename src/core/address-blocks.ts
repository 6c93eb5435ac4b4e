import { isIP, BlockList } from 'node:net';
import { copyOfText } from './copy.ts';

/** Max addresses that an {@link addressMatcher} remembers with their verdicts: BlockList takes 2 us for each look-up. */
const MAX_VERDICTS = 1000;

/**
 * Makes a function that tells whether an address lies in one of the CIDR blocks. The function takes addresses as
 * `normalizeIp` writes them. A block may be a single address, and may use mapped addresses (`::ffff:10.0.0.0/104`):
 * BlockList takes both forms for the same.
 */
export function addressMatcher(blocks: readonly string[]): (address: string) => boolean {
  if (blocks.length === 0) return () => false;
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  const verdicts = new Map<string, boolean>();
  return (address) => {
    let verdict = verdicts.get(address);
    if (verdict !== undefined) return verdict;
    verdict = address !== '' && list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
    if (verdicts.size >= MAX_VERDICTS) verdicts.clear();
    // The address may be a part of a head, which would be kept whole.
    verdicts.set(copyOfText(address), verdict);
    return verdict;
  };
}
