import type { EventLoop } from '../../loop/event-loop.ts';
import { EPOLLIN, EPOLLOUT } from '../../sys/epoll.ts';
import type { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { SocketAddress } from '../../sys/sockets/socket-address.ts';
import { LoopbackPeer } from './loopback-peer.ts';
import { CLIENT_CLOSE, CLIENT_MESSAGE, CLOSE_BYTES, ECHO_BYTES } from './short-frames.ts';

/** Headers of a browser, for request heads of a typical size. */
const BROWSER_LINES = [
  'Connection: Upgrade',
  'Pragma: no-cache',
  'Cache-Control: no-cache',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36',
  'Upgrade: websocket',
  'Origin: http://warm-up',
  'Sec-WebSocket-Version: 13',
  'Accept-Encoding: gzip, deflate',
  'Accept-Language: en',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
];

/** Returns the request of a warm-up client. */
export function warmUpRequest(path: string): Buffer {
  const lines = [`GET ${path} HTTP/1.1`, 'Host: warm-up', ...BROWSER_LINES, '', ''];
  return Buffer.from(lines.join('\r\n'), 'latin1');
}

/** A client of a warm-up: does a handshake, sends a message, waits for its echo, and closes. */
export class WarmUpClient extends LoopbackPeer {
  readonly #request: Buffer;
  readonly #onClosed: (client: WarmUpClient) => void;
  #stage: 'connects' | 'asks' | 'sends' | 'closes' = 'connects';
  /** Bytes of the awaited frame. */
  #awaited = 0;

  /** @param over called once the connection is closed */
  constructor(loop: EventLoop, scratch: PinnedBuffer, request: Buffer, over: (client: WarmUpClient) => void) {
    super(loop, scratch);
    this.#request = request;
    this.#onClosed = over;
  }

  /** Whether every expected byte has arrived. */
  get isComplete(): boolean {
    return this.#stage === 'closes' && this.#awaited === 0;
  }

  /** @throws SystemCallError if the connection cannot be watched; nothing is open then */
  begin(address: SocketAddress): void {
    const { sockets, poller } = this.loop;
    const fd = sockets.open(address);
    poller.watch(this, fd, EPOLLOUT);
    sockets.connect(fd, address);
  }

  override ready(): void {
    if (this.#stage !== 'connects') {
      super.ready();
      return;
    }
    this.#stage = 'asks';
    this.loop.poller.change(this, EPOLLIN);
    this.connected();
  }

  /** Called when bytes can be sent. */
  protected connected(): void {
    this.send(this.#request);
  }

  protected override take(bytes: Buffer): boolean {
    if (this.#stage === 'asks') {
      const head = bytes.toString('latin1');
      if (!head.startsWith('HTTP/1.1 101 ') || !head.endsWith('\r\n\r\n')) return false;
      this.#stage = 'sends';
      this.#awaited = ECHO_BYTES;
      this.send(CLIENT_MESSAGE);
      return true;
    }
    this.#awaited -= bytes.length;
    if (this.#awaited > 0) return true;
    if (this.#awaited < 0 || this.#stage === 'closes') return false;
    this.#stage = 'closes';
    this.#awaited = CLOSE_BYTES;
    this.send(CLIENT_CLOSE);
    return true;
  }

  protected override closed(): void {
    this.#onClosed(this);
  }
}
