import type { Requester, ClientConnection, ClientConnections } from '../../contract/client-connections.ts';
import type { ConnectionSearch } from './connection-search.ts';
import type { KnownConnections, UwsRequester } from './known-connections.ts';

/** Identifies client connections of uWS. Requests must come from the uWS engine. */
export class UwsClientConnections implements ClientConnections {
  readonly #known: KnownConnections;
  readonly #search: ConnectionSearch;

  constructor(known: KnownConnections, search: ConnectionSearch) {
    this.#known = known;
    this.#search = search;
  }

  recognise(requester: Requester): ClientConnection | null {
    return this.#known.recognise(requester as UwsRequester);
  }

  find(requester: Requester, found: (client: ClientConnection | null) => void): () => void {
    return this.#search.find(requester as UwsRequester, found);
  }

  findNow(requester: Requester): ClientConnection | null {
    return this.#search.findNow(requester as UwsRequester);
  }
}
