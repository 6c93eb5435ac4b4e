import type { TcpAddress } from '../../core/address.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { EPOLLIN } from '../../sys/epoll.ts';
import type { PinnedBuffer } from '../../sys/memory/pinned-buffer.ts';
import type { AcceptorOwner } from '../../transport/acceptor.ts';
import { RawAcceptor } from '../../transport/raw/raw-acceptor.ts';
import { acceptKey } from '../../wire/upgrade/accept-key.ts';
import { LoopbackPeer } from './loopback-peer.ts';
import { echoOf, isClose } from './short-frames.ts';

/** An endpoint for the handshakes of a warm-up. Closes clients that do not know the path. */
export class EchoEndpoint implements AcceptorOwner<number> {
  readonly #loop: EventLoop;
  readonly #scratch: PinnedBuffer;
  readonly #requestLine: string;
  readonly #acceptor: RawAcceptor;

  constructor(loop: EventLoop, scratch: PinnedBuffer, address: TcpAddress, path: string) {
    this.#loop = loop;
    this.#scratch = scratch;
    this.#requestLine = `GET ${path} HTTP/1.1\r\n`;
    this.#acceptor = new RawAcceptor(loop, address, this);
  }

  listen(): void {
    this.#acceptor.listen();
  }

  close(): void {
    this.#acceptor.stop();
  }

  accepted(fd: number): void {
    this.#loop.poller.watch(new EchoPeer(this.#loop, this.#scratch, this.#requestLine), fd, EPOLLIN);
  }

  acceptFailed(): boolean {
    return false;
  }

  acceptFault(): void {
    // The handshake fails, and the warm-up gives up after several failures.
  }
}

/** The endpoint's side of one session: echoes a message, answers a close frame, and closes. */
class EchoPeer extends LoopbackPeer {
  readonly #requestLine: string;
  #isOpen = false;

  constructor(loop: EventLoop, scratch: PinnedBuffer, requestLine: string) {
    super(loop, scratch);
    this.#requestLine = requestLine;
  }

  protected override take(bytes: Buffer): boolean {
    if (!this.#isOpen) return this.#answer(bytes.toString('latin1'));
    const echo = echoOf(bytes);
    if (echo === null) return false;
    this.send(echo);
    return !isClose(echo);
  }

  #answer(head: string): boolean {
    const key = /\r\nsec-websocket-key: *(\S+)\r\n/i.exec(head)?.[1];
    if (!head.startsWith(this.#requestLine) || !head.endsWith('\r\n\r\n') || key === undefined) return false;
    this.#isOpen = true;
    const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptKey(key)}`];
    this.send(Buffer.from(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    return true;
  }
}
