/** Adds functions to uWebSockets.js's typings that its binary has and this room uses. */
import type { DownstreamSocket } from '../contract/downstream-socket.ts';

declare module 'uWebSockets.js' {
  const SHARED_COMPRESSOR: CompressOptions;
  const SHARED_DECOMPRESSOR: CompressOptions;

  /** `silent` removes uWS's own header from the responses of the calling thread. */
  function _cfg(key: 'silent'): void;

  interface TemplatedApp {
    /** Passes an open connection to the App. Calls the filter before it returns. -1 ends the process. */
    adoptSocket(descriptor: number): void;
    /** Sets a callback for unknown server names, inside the handshake. The callback may add the name. */
    missingServerName(handler: (serverName: string) => void): TemplatedApp;
  }

  interface HttpResponse {
    /**
     * Returns the client's verified certificate in PEM, empty without one. Requires TLS. Valid in the
     * request's callback only.
     */
    getX509Certificate(): string;
  }

  interface HttpRequest {
    /** Returns the query without `?`, undefined if the target has no `?`. */
    getQuery(): string | undefined;
  }

  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the parameter's name must be the original's
  interface WebSocket<UserData> {
    sendFirstFragment: DownstreamSocket['sendFirstFragment'];
    sendFragment: DownstreamSocket['sendFragment'];
    sendLastFragment: DownstreamSocket['sendLastFragment'];
  }
}
