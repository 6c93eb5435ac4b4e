import { isIP, BlockList } from 'node:net';
import { hostOf } from '../routing/route-request.ts';
import { normalizePath } from '../routing/request-path.ts';
import { headerOf, headProblem, type RequestHead } from '../wire/request-head.ts';

/** A request whose head is in order, in the form that routes are matched against. */
export interface ClientRequest {
  readonly head: RequestHead;
  readonly host: string;
  /** Normalised. */
  readonly path: string;
}

/** Visible ASCII without `#`: what RFC 3986 section 3.4 allows and a little more, but nothing that could split a line. */
const QUERY = /^[\x21\x22\x24-\x7e]*$/;

/** Checks a head, and says in a few words what is wrong with it. */
export function checkRequest(head: RequestHead): ClientRequest | string {
  const problem = headProblem(head);
  if (problem !== null) return problem;
  const host = hostOf(headerOf(head, 'host') ?? '');
  if (host === null) return 'bad host header';
  const path = normalizePath(head.path);
  if (path === null || !QUERY.test(head.query)) return 'bad request target';
  return { head, host, path };
}

/** Says of an address whether it lies in one of the CIDR blocks or is one of the addresses. */
export function addressMatcher(blocks: readonly string[]): (address: string) => boolean {
  if (blocks.length === 0) return () => false;
  const list = new BlockList();
  for (const block of blocks) {
    const [address = '', prefix] = block.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    list.addSubnet(address, prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix), family);
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 6 ? 'ipv6' : 'ipv4');
  };
}
