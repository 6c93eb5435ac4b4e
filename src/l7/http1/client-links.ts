import type { Asker, ClientConnections } from '../contract/client-connections.ts';
import type { ClientLink } from './client-link.ts';

/** Identifies connections without a search: each request knows its own. */
export const clientLinks: ClientConnections = {
  recognise(asker) {
    const link = linkOf(asker);
    return link.isWatched ? link : null;
  },
  find(asker, found) {
    found(linkOf(asker));
    return doNothing;
  },
  findNow: linkOf,
};

function linkOf({ connection }: Asker): ClientLink {
  return connection as ClientLink;
}

function doNothing(): void {
  // There is no search to cancel.
}
