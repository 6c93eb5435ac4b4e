/** Clients of the OpenSSL in the Node binary on descriptors: they take no memory of Node's, and never wait. */
import { nativeFunction } from '../../../src/sys/native-calls.ts';

type Numbers = (...values: number[]) => number;

const A = 'uintptr_t';
const clientMethod = nativeFunction('TLS_client_method', A, []) as Numbers;
const newContext = nativeFunction('SSL_CTX_new', A, [A]) as Numbers;
const freeContext = nativeFunction('SSL_CTX_free', 'void', [A]) as Numbers;
const control = nativeFunction('SSL_CTX_ctrl', 'long', [A, 'int', 'long', A]) as Numbers;
const newStream = nativeFunction('SSL_new', A, [A]) as Numbers;
const freeStream = nativeFunction('SSL_free', 'void', [A]) as Numbers;
const setDescriptor = nativeFunction('SSL_set_fd', 'int', [A, 'int']) as Numbers;
const connect = nativeFunction('SSL_connect', 'int', [A]) as Numbers;
const clearErrors = nativeFunction('ERR_clear_error', 'void', []) as Numbers;

const SSL_CTRL_SET_MAX_PROTO_VERSION = 124;
const VERSIONS = { 'TLSv1.2': 0x0303, 'TLSv1.3': 0x0304 } as const;

/** Makes clients, which trust everybody. */
export class OpensslClients {
  readonly #context: number;

  constructor(maxVersion: keyof typeof VERSIONS) {
    this.#context = newContext(clientMethod());
    control(this.#context, SSL_CTRL_SET_MAX_PROTO_VERSION, VERSIONS[maxVersion], 0);
  }

  /** Makes a client on a connected socket, which stays the caller's. */
  on(fd: number): OpensslClient {
    return new OpensslClient(newStream(this.#context), fd);
  }

  close(): void {
    freeContext(this.#context);
  }
}

class OpensslClient {
  readonly #stream: number;

  constructor(stream: number, fd: number) {
    this.#stream = stream;
    setDescriptor(stream, fd);
  }

  /** Continues the handshake. Returns true if it is done. */
  handshake(): boolean {
    const isDone = connect(this.#stream) === 1;
    clearErrors();
    return isDone;
  }

  free(): void {
    freeStream(this.#stream);
  }
}
