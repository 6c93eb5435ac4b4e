/** uWebSockets.js's typings lag behind its binary: what they leave out of it, and is used here, is added here. */
import type { DownstreamSocket } from '../contract/downstream-socket.ts';

declare module 'uWebSockets.js' {
  const SHARED_COMPRESSOR: CompressOptions;
  const SHARED_DECOMPRESSOR: CompressOptions;

  /** `silent` keeps the mark of uWebSockets out of the responses of the calling thread. */
  function _cfg(key: 'silent'): void;

  interface TemplatedApp {
    /** Calls back for each unknown server name, within the handshake: the handler may add it. */
    missingServerName(handler: (serverName: string) => void): TemplatedApp;
  }

  interface HttpRequest {
    /** Undefined where the target has no `?`. */
    getQuery(): string | undefined;
  }

  // eslint-disable-next-line @typescript-eslint/no-unused-vars -- the parameter's name must be the original's
  interface WebSocket<UserData> {
    sendFirstFragment: DownstreamSocket['sendFirstFragment'];
    sendFragment: DownstreamSocket['sendFragment'];
    sendLastFragment: DownstreamSocket['sendLastFragment'];
  }
}
