import { isIP, BlockList } from 'node:net';
import type { PathSettings } from '../../config/types/listener.ts';
import { copyOfText } from '../../core/copy.ts';
import { readPath } from '../../routing/request-path.ts';
import { hostOf } from '../../wire/http/host-header.ts';
import { headerOf, headProblem, type HeadProblem, type RequestHead } from '../../wire/http/request-head.ts';
import type { RequestRefusal } from '../contract/listener-stats.ts';

/** A request with a valid head, in the form that routes are matched against. */
export interface ClientRequest {
  readonly head: RequestHead;
  /** Empty if a request of HTTP/1.0 has none: then only routes for every host can take it. */
  readonly host: string;
  /** The normalised path, or `*` (RFC 9112 section 3.2.4). */
  readonly path: string;
  /** The path before its dot segments were removed; null unless endpoints may read it in several ways. */
  readonly spelling: string | null;
}

/** A fault of a request's head. */
interface RequestProblem {
  /** The counter of the refusal. */
  readonly problem: RequestRefusal;
  /** In a few words, for the client and the log. */
  readonly detail: string;
}

/** Visible ASCII without `#`. RFC 3986 section 3.4 allows less, but none of these characters can split a line. */
const QUERY = /^[\x21\x22\x24-\x7e]*$/;

/**
 * Checks a head. Returns the request, or the fault of its head.
 *
 * @param isChecked whether the engine has refused heads that have a {@link headProblem}
 */
export function checkRequest(
  head: RequestHead,
  paths: PathSettings,
  isChecked: boolean,
): ClientRequest | RequestProblem {
  const problem = isChecked ? null : headProblem(head);
  if (problem !== null) return { problem: headRefusal(problem), detail: problem };
  const hostHeader = headerOf(head, 'host') ?? '';
  const host = hostHeader === '' && head.isHttp10 === true ? '' : hostOf(hostHeader);
  if (host === null) return { problem: 'bad_host', detail: 'bad host header' };
  if (!QUERY.test(head.query)) return { problem: 'bad_target', detail: 'bad request target' };
  if (head.path === '*' && head.method === 'OPTIONS') return { head, host, path: '*', spelling: null };
  const read = readPath(head.path, paths);
  if (typeof read === 'string') return { problem: 'bad_target', detail: read };
  return { head, host, path: read.path, spelling: read.spelling };
}

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

function headRefusal(problem: HeadProblem): RequestRefusal {
  switch (problem) {
    case 'bad method':
      return 'bad_method';
    case 'no host header':
    case 'more than one host header':
      return 'bad_host';
    case 'bad content-length':
    case 'transfer-encoding other than chunked':
    case 'both content-length and transfer-encoding':
    case 'more than one content-length header':
    case 'more than one transfer-encoding header':
      return 'bad_framing';
    case 'bad header name':
    case 'control character in a header':
    default:
      return 'bad_header';
  }
}
