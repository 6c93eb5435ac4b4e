/** A listener that ends TLS, and its clients, in one thread that never waits: for many handshakes in a row. */
import assert from 'node:assert/strict';
import { EAGAIN } from '../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../src/sys/memory/pinned-buffer.ts';
import type { SocketAddress } from '../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../src/sys/sockets/sockets.ts';
import { clearErrors } from '../../../src/sys/tls/errors.ts';
import { ServerContext, type ServerContextSettings } from '../../../src/sys/tls/server-context.ts';
import { TlsStream } from '../../../src/sys/tls/tls-stream.ts';

const BUFFER_BYTES = 64 * 1024;

/** Both ends of a connection. */
export interface HandshakePair {
  readonly client: number;
  readonly server: number;
  readonly stream: TlsStream;
}

export class HandshakePlace {
  readonly sockets = new Sockets();
  readonly #target: SocketAddress;
  readonly #context: ServerContext;
  readonly #listening: number;
  readonly #buffer = new PinnedBuffer(BUFFER_BYTES);

  constructor(target: SocketAddress, settings: ServerContextSettings) {
    this.#target = target;
    this.#context = new ServerContext(settings);
    this.#listening = this.sockets.listen(target, 16);
  }

  connect(): HandshakePair {
    const client = this.sockets.open(this.#target);
    this.sockets.connect(client, this.#target);
    const server = this.#accept();
    clearErrors();
    return { client, server, stream: new TlsStream(this.#context, server) };
  }

  send(fd: number, bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#buffer.bytes.set(bytes);
    assert.equal(this.#buffer.send(fd, 0, bytes.length), bytes.length);
  }

  /** Returns the received bytes; null if there are none and the connection is open. */
  received(fd: number): Buffer | null {
    const count = this.#buffer.recv(fd, 0, BUFFER_BYTES);
    return count < 0 ? null : Buffer.from(this.#buffer.bytes.subarray(0, count));
  }

  /** Frees and closes the server's end. The client's is closed before. */
  drop({ stream, server }: HandshakePair): void {
    stream.free();
    // Ports of clients that wait for the end of TIME-WAIT would run out.
    this.sockets.resetOnClose(server);
    this.sockets.close(server);
  }

  close(): void {
    this.#context.close();
    this.sockets.close(this.#listening);
  }

  #accept(): number {
    for (;;) {
      const fd = this.sockets.accept(this.#listening);
      if (fd >= 0) return fd;
      assert.equal(fd, -EAGAIN);
    }
  }
}
