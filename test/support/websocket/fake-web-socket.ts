import { EventEmitter } from 'node:events';
import type { WebSocket } from 'ws';

/**
 * A WebSocket of `ws` without a network. It keeps the sent messages, and the test sets how full its buffer
 * is.
 */
export class FakeWebSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  protocol = '';
  bufferedAmount = 0;
  paused = false;
  readonly sent: string[] = [];
  /** `code reason` of the close frame, or `terminated`. */
  ended: string | null = null;
  #sentCallback: () => void = () => undefined;

  /** The same, as what takes WebSockets wants it. */
  asWebSocket(): WebSocket {
    return this as unknown as WebSocket;
  }

  /** A text arrives from the client. */
  receive(text: string): void {
    this.emit('message', Buffer.from(text), false);
  }

  /** So much is left in the buffer now that a write has ended. */
  flush(bufferedAmount: number): void {
    this.bufferedAmount = bufferedAmount;
    this.#sentCallback();
  }

  send(data: string | Buffer, _options?: object, callback?: () => void): void {
    this.sent.push(data.toString());
    if (callback !== undefined) this.#sentCallback = callback;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(code: number, reason: string): void {
    this.readyState = 2;
    this.ended = `${code} ${reason}`;
  }

  terminate(): void {
    this.readyState = 3;
    this.ended = 'terminated';
    this.emit('close');
  }
}
