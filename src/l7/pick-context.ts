import type { Cluster as ClusterConfig } from '../config/types.ts';
import { queryValue } from '../routing/query-string.ts';
import type { PickContext } from '../upstream/pick-context.ts';
import { cookieOf } from '../wire/cookie.ts';
import { headerOf, type RequestHead } from '../wire/request-head.ts';

/** What of a request its cluster chooses an endpoint by. */
export function pickContextOf(
  { hashOn, sticky }: ClusterConfig,
  head: RequestHead,
  clientAddress: string,
): PickContext {
  return {
    source: clientAddress,
    hashKey: hashKeyOf(hashOn, head),
    sticky: sticky === null ? null : cookieOf(head, sticky.cookie),
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
