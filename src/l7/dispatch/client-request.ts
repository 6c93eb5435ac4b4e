import type { PathSettings } from '../../config/types/listener.ts';
import { readPath } from '../../routing/request-path.ts';
import { hostOf } from '../../wire/http/host-header.ts';
import { headerOf, headProblem, type HeadProblem, type RequestHead } from '../../wire/http/request-head.ts';
import type { RequestRefusal } from '../contract/listener-stats.ts';

/** A request with a valid head, in the form that routes match. */
export interface ClientRequest {
  readonly head: RequestHead;
  /** Empty for an HTTP/1.0 request without a host. Then only routes for every host can match. */
  readonly host: string;
  /** The normalised path, or `*` (RFC 9112 section 3.2.4). */
  readonly path: string;
  /** The path before dot segments were removed. Null unless endpoints may read it in several ways. */
  readonly spelling: string | null;
}

/** A fault in a request's head. */
interface RequestProblem {
  /** Label of the refusal's counter. */
  readonly problem: RequestRefusal;
  /** A short text for the client and the log. */
  readonly detail: string;
}

/**
 * Visible ASCII without `#`. RFC 3986 section 3.4 allows less, but none of these characters can split a line.
 */
const QUERY = /^[\x21\x22\x24-\x7e]*$/;

/**
 * Checks a head. Returns the request, or the fault.
 *
 * @param isChecked whether the engine has already refused heads with a {@link headProblem}
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
