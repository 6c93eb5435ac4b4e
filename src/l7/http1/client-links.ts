import type { Requester, ClientConnections } from '../contract/client-connections.ts';
import type { ClientLink } from './client-link.ts';

/** Identifies connections without a search: each request knows its own. */
export const clientLinks: ClientConnections = {
  recognise(requester) {
    const link = linkOf(requester);
    return link.isWatched ? link : null;
  },
  find(requester, found) {
    found(linkOf(requester));
    return doNothing;
  },
  findNow: linkOf,
};

function linkOf({ connection }: Requester): ClientLink {
  return connection as ClientLink;
}

function doNothing(): void {
  // There is no search to cancel.
}
