/** A WebSocket client of the library `ws` that keeps its messages and waits with a deadline. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import type { ClientOptions } from 'ws';

const DEADLINE_MS = 60_000;

export interface Message {
  readonly data: Buffer;
  readonly isBinary: boolean;
}

export interface Close {
  readonly code: number;
  readonly reason: string;
}

export class WsClient {
  readonly socket: WebSocket;
  /** Every message that no test has waited for yet, in order. */
  readonly inbox: Message[] = [];
  /** The headers of the 101. */
  headers: IncomingHttpHeaders = {};
  #close: Close | null = null;
  #wake: () => void = () => undefined;

  private constructor(url: string, protocols: readonly string[], options: ClientOptions) {
    this.socket = new WebSocket(url, [...protocols], { perMessageDeflate: false, ...options });
    this.socket.on('error', () => undefined);
    this.socket.on('upgrade', (response: IncomingMessage) => (this.headers = response.headers));
    this.socket.on('message', (data, isBinary) => {
      this.inbox.push({ data: data as Buffer, isBinary });
      this.#wake();
    });
    this.socket.on('close', (code, reason) => {
      this.#close = { code, reason: reason.toString() };
      this.#wake();
    });
  }

  /** Resolves when the WebSocket is open; rejects with what stood in the way. */
  static async connect(
    url: string,
    protocols: readonly string[] = [],
    options: ClientOptions = {},
  ): Promise<WsClient> {
    const client = new WsClient(url, protocols, options);
    await new Promise<void>((settle, fail) => {
      client.socket.once('open', settle);
      client.socket.once('error', fail);
    });
    return client;
  }

  send(message: string | Buffer): void {
    this.socket.send(message);
  }

  sendJson(message: object): void {
    this.socket.send(JSON.stringify(message));
  }

  /** The next message. Rejects when the WebSocket closes or the deadline passes first. One caller at a time. */
  async next(deadlineMs = DEADLINE_MS): Promise<Message> {
    await this.#until(() => this.inbox.length > 0 || this.#close !== null, 'a message', deadlineMs);
    const message = this.inbox.shift();
    if (message === undefined)
      throw new Error(`closed (${JSON.stringify(this.#close)}) before a message came`);
    return message;
  }

  /** The next JSON text whose `type` is this; others before it are dropped. */
  async nextJson(type?: string): Promise<Readonly<Record<string, unknown>>> {
    for (;;) {
      const { data } = await this.next();
      const message = JSON.parse(data.toString()) as Readonly<Record<string, unknown>>;
      if (type === undefined || message.type === type) return message;
    }
  }

  /** How the WebSocket closed. */
  async closed(deadlineMs = DEADLINE_MS): Promise<Close> {
    await this.#until(() => this.#close !== null, 'the close', deadlineMs);
    return this.#close!;
  }

  #until(reached: () => boolean, what: string, deadlineMs: number): Promise<void> {
    return new Promise((settle, fail) => {
      const timer = setTimeout(
        () => fail(new Error(`waited ${deadlineMs} ms in vain for ${what}`)),
        deadlineMs,
      );
      this.#wake = () => {
        if (!reached()) return;
        clearTimeout(timer);
        settle();
      };
      this.#wake();
    });
  }
}
