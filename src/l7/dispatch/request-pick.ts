import type { Cluster as ClusterConfig } from '../../config/types/cluster.ts';
import { queryValue } from '../../routing/query-string.ts';
import type { PickContext } from '../../upstream/balancers/balancer.ts';
import { cookieOf, cookiesOf } from '../../wire/http/cookie.ts';
import { headerOf, type RequestHead } from '../../wire/http/request-head.ts';

/**
 * Max values of the sticky cookie that are read. Other hosts and paths of the site can set cookies with the
 * same name.
 */
const MAX_STICKY_VALUES = 8;

/** Returns the parts of a request that select its endpoint in the cluster. */
export function pickContextOf(
  { hashOn, sticky }: Pick<ClusterConfig, 'hashOn' | 'sticky'>,
  head: RequestHead,
  clientAddress: string,
): PickContext {
  return {
    source: clientAddress,
    hashKey: hashKeyOf(hashOn, head),
    sticky: sticky === null ? [] : cookiesOf(head, sticky.cookie, MAX_STICKY_VALUES),
  };
}

function hashKeyOf(hashOn: ClusterConfig['hashOn'], head: RequestHead): string | null {
  switch (hashOn.kind) {
    case 'source_ip':
      return null;
    case 'header':
      return headerOf(head, hashOn.name) ?? null;
    case 'cookie':
      return cookieOf(head, hashOn.name);
    case 'query':
      return queryValue(head.query, hashOn.name);
  }
}
