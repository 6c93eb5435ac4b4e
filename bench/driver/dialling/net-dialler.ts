import { createConnection, isIP, type Socket } from 'node:net';
import {
  checkServerIdentity,
  connect as connectTls,
  createSecureContext,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { Plan } from '../../options/plan.ts';
import { isEncrypted, type Target } from '../../options/target.ts';
import type { Connection, ConnectionOwner, Dialler } from './connection.ts';

const READ_BYTES = 256 * 1024;
const readBuffer = Buffer.allocUnsafeSlow(READ_BYTES);

type OwnedSocket = Socket & { owner: ConnectionOwner | null; failure: Error | null };

/** Dials with `node:net` and `node:tls`. All connections read into one shared buffer. */
export class NetDialler implements Dialler {
  readonly #target: Target;
  readonly #address: string;
  readonly #insecure: boolean;
  readonly #resumes: boolean;
  /** Created once: loading the system's certificates takes longer than a handshake. */
  readonly #context: SecureContext | null;
  /** The target's last TLS session. Undefined without one. */
  #session: Buffer | undefined;

  /** @param address IP address of the target */
  constructor(address: string, { target, insecure, resume }: Pick<Plan, 'target' | 'insecure' | 'resume'>) {
    this.#target = target;
    this.#address = address;
    this.#insecure = insecure;
    this.#resumes = resume;
    this.#context = isEncrypted(target.protocol) ? createSecureContext() : null;
  }

  open(owner: ConnectionOwner): Connection {
    const { host, port } = this.#target;
    const common = { host: this.#address, port, noDelay: true, onread: READ_OPTIONS };
    const socket = (
      this.#context === null
        ? createConnection(common)
        : connectTls({
            ...common,
            secureContext: this.#context,
            session: this.#session,
            rejectUnauthorized: !this.#insecure,
            // A certificate for an IP address: SNI must not contain it (RFC 6066 section 3).
            servername: isIP(host) === 0 ? host : '',
            checkServerIdentity: (_name, certificate) => checkServerIdentity(host, certificate),
          })
    ) as OwnedSocket;
    socket.owner = owner;
    socket.failure = null;
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.on('drain', onDrain);
    socket.once('connect', onConnect);
    if (this.#context !== null) socket.once('secureConnect', onSecureConnect);
    if (this.#resumes) socket.on('session', this.#keepSession);
    return socket;
  }

  allocate(size: number): Buffer {
    return Buffer.allocUnsafeSlow(size);
  }

  soon(callback: () => void): void {
    setImmediate(callback);
  }

  close(): void {
    // Nothing remains after the sockets are closed.
  }

  readonly #keepSession = (session: Buffer): void => {
    this.#session = session;
  };
}

const READ_OPTIONS = {
  buffer: readBuffer,
  // Node calls this with the socket as `this`.
  callback(this: OwnedSocket, length: number): boolean {
    this.owner?.received(readBuffer, length);
    return true;
  },
};

function onConnect(this: OwnedSocket): void {
  this.owner?.connected();
}
function onSecureConnect(this: OwnedSocket): void {
  this.owner?.secured((this as unknown as TLSSocket).isSessionReused());
}
function onDrain(this: OwnedSocket): void {
  this.owner?.drained();
}
function onError(this: OwnedSocket, error: Error): void {
  this.failure = error;
}
function onClose(this: OwnedSocket): void {
  const { owner } = this;
  this.owner = null;
  owner?.closed(this.failure);
}
