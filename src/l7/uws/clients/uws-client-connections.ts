import type { Asker, ClientConnection, ClientConnections } from '../../contract/client-connections.ts';
import type { ConnectionSearch } from './connection-search.ts';
import type { KnownConnections, UwsAsker } from './known-connections.ts';

/** Identifies client connections of uWS. Requests must come from the uWS engine. */
export class UwsClientConnections implements ClientConnections {
  readonly #known: KnownConnections;
  readonly #search: ConnectionSearch;

  constructor(known: KnownConnections, search: ConnectionSearch) {
    this.#known = known;
    this.#search = search;
  }

  recognise(asker: Asker): ClientConnection | null {
    return this.#known.recognise(asker as UwsAsker);
  }

  find(asker: Asker, found: (client: ClientConnection | null) => void): () => void {
    return this.#search.find(asker as UwsAsker, found);
  }

  findNow(asker: Asker): ClientConnection | null {
    return this.#search.findNow(asker as UwsAsker);
  }
}
