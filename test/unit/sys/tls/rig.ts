/** The server's ends of TLS connections for tests, and what they are made with. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { EAGAIN } from '../../../../src/sys/errno.ts';
import { PinnedBuffer } from '../../../../src/sys/memory/pinned-buffer.ts';
import { openssl } from '../../../../src/sys/openssl.ts';
import { SocketAddress } from '../../../../src/sys/sockets/socket-address.ts';
import { Sockets } from '../../../../src/sys/sockets/sockets.ts';
import { clearErrors } from '../../../../src/sys/tls/errors.ts';
import {
  ServerContext,
  type KeyPair,
  type ServerContextSettings,
} from '../../../../src/sys/tls/server-context.ts';
import { TlsStream } from '../../../../src/sys/tls/tls-stream.ts';
import type { IssuedCertificate } from '../../../support/certificates.ts';
import { within } from '../../../support/deadline.ts';
import { freshRing } from '../../../support/tls/listener-tls.ts';
import { freshAddress, until } from '../pairs.ts';

export const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Returns the texts of a certificate's files. */
export function textsOf({ cert, key }: IssuedCertificate): KeyPair {
  return { certPem: readFileSync(cert, 'utf8'), keyPem: readFileSync(key, 'utf8') };
}

/** Returns settings with defaults. */
export function settingsOf(
  certificates: readonly KeyPair[],
  changes: Partial<ServerContextSettings> = {},
): ServerContextSettings {
  return {
    certificates,
    minVersion: '1.2',
    ciphers: CIPHERS,
    groups: 'X25519:P-256',
    alpn: ['http/1.1'],
    clientCertificates: null,
    ticketKeys: freshRing(),
    sessionIdContext: Buffer.from('test'),
    ...changes,
  };
}

/**
 * Repeats a call until it no longer returns -EAGAIN, as a loop does between turns of Node. Throws if it leaves an error,
 * which would spoil the next call.
 */
export async function ready(call: () => number): Promise<number> {
  return until(EAGAIN, () => {
    clearErrors();
    const result = call();
    assertNoError();
    return result;
  });
}

/** Throws if OpenSSL has an error of this thread. */
export function assertNoError(): void {
  const calls = openssl();
  const error = calls.peekError();
  if (error !== 0) throw new Error(`an error is left: ${calls.errorText(error) ?? error}`);
}

/** Continues a handshake until it ends. */
export async function handshake(stream: TlsStream): Promise<'done' | 'failed'> {
  const DONE = 1;
  const result = await ready(() => {
    const step = stream.handshake();
    return step === 'done' ? DONE : step === 'failed' ? 0 : -EAGAIN;
  });
  return result === DONE ? 'done' : 'failed';
}

/** Accepts connections of one context. Everything that is open at the end of a test is closed. */
export class TlsRig {
  readonly buffer = new PinnedBuffer(64 * 1024);
  readonly sockets = new Sockets();
  readonly port: number;
  readonly #listening: number;
  readonly #open = new Map<TlsStream, number>();
  #context: ServerContext;

  private constructor(port: number, context: ServerContext) {
    this.port = port;
    this.#context = context;
    this.#listening = this.sockets.listen(new SocketAddress({ kind: 'tcp', host: '127.0.0.1', port }), 64);
  }

  static async with(settings: ServerContextSettings, test: (rig: TlsRig) => Promise<void>): Promise<void> {
    const { address } = await freshAddress('IPv4');
    if (address.kind !== 'tcp') throw new Error('no TCP address');
    const rig = new TlsRig(address.port, new ServerContext(settings));
    try {
      await test(rig);
    } finally {
      rig.#close();
    }
  }

  /** Connections that are accepted now get another context. */
  use(settings: ServerContextSettings): void {
    this.#context.close();
    this.#context = new ServerContext(settings);
  }

  /** Accepts a connection. */
  async accept(): Promise<TlsStream> {
    const fd = await until(EAGAIN, () => this.sockets.accept(this.#listening));
    const stream = new TlsStream(this.#context, fd);
    this.#open.set(stream, fd);
    return stream;
  }

  /** Accepts a connection, and does its handshake. Throws if it fails. */
  async established(): Promise<TlsStream> {
    const stream = await this.accept();
    if ((await handshake(stream)) !== 'done') throw new Error(`the handshake failed: ${stream.failure}`);
    return stream;
  }

  /** Lets a client of Node's in, and returns both ends. */
  async connected(options: ConnectionOptions): Promise<{ client: TLSSocket; stream: TlsStream }> {
    const client = this.client(options);
    const secure = once(client, 'secureConnect');
    const stream = await this.established();
    await within('the client', secure);
    return { client, stream };
  }

  /** Starts a client of Node's. Its errors are ignored. */
  client(options: ConnectionOptions): TLSSocket {
    const target = { host: '127.0.0.1', port: this.port, servername: 'a.example' };
    const client = connect({ ...target, ...options });
    client.on('error', () => undefined);
    return client;
  }

  /** Reads once. Returns the text, or the result of a read that brings none. */
  async read(stream: TlsStream): Promise<string | number> {
    const count = await ready(() => stream.read(this.buffer, 0, this.buffer.bytes.length));
    return count > 0 ? this.buffer.bytes.toString('latin1', 0, count) : count;
  }

  /** Sends a short text. */
  async write(stream: TlsStream, text: string): Promise<number> {
    const length = this.buffer.bytes.write(text, 'latin1');
    return ready(() => stream.write(this.buffer, 0, length));
  }

  /** Returns the descriptor of a stream. */
  descriptorOf(stream: TlsStream): number {
    const fd = this.#open.get(stream);
    if (fd === undefined) throw new Error('the stream is not open');
    return fd;
  }

  /** Frees a stream, and closes its socket. */
  drop(stream: TlsStream): void {
    const fd = this.#open.get(stream);
    if (fd === undefined) return;
    this.#open.delete(stream);
    stream.free();
    this.sockets.close(fd);
  }

  #close(): void {
    for (const stream of [...this.#open.keys()]) this.drop(stream);
    this.#context.close();
    this.sockets.close(this.#listening);
  }
}
