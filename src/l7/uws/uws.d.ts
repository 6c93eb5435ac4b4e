/** Adds to uWebSockets.js's typings the functions of its binary that they lack and this room uses. */
import type { DownstreamSocket } from '../contract/downstream-socket.ts';

declare module 'uWebSockets.js' {
  const SHARED_COMPRESSOR: CompressOptions;
  const SHARED_DECOMPRESSOR: CompressOptions;

  /** `silent` keeps uWS's own header out of the responses of the calling thread. */
  function _cfg(key: 'silent'): void;

  interface TemplatedApp {
    /** Gives the App a connection that is open. Calls the filter before it returns. -1 ends the process. */
    adoptSocket(descriptor: number): void;
    /** Calls back for each unknown server name, within the handshake. The handler may add the name. */
    missingServerName(handler: (serverName: string) => void): TemplatedApp;
  }

  interface HttpResponse {
    /** The client's verified certificate in PEM; empty without one. Only with TLS, during the request's callback. */
    getX509Certificate(): string;
  }

  interface HttpRequest {
    /** Undefined if the target has no `?`. */
    getQuery(): string | undefined;
  }

  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the parameter's name must be the original's
  interface WebSocket<UserData> {
    sendFirstFragment: DownstreamSocket['sendFirstFragment'];
    sendFragment: DownstreamSocket['sendFragment'];
    sendLastFragment: DownstreamSocket['sendLastFragment'];
  }
}
