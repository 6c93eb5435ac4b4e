/**
 * A connection to an endpoint as handshakes, sessions and requests see it. System calls carry it (`raw-upstream.ts`), or
 * Node's sockets if system calls are not used or the cluster has TLS (`net-upstream.ts`).
 */
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';

/** Hears what happens on a connection to an endpoint: first a handshake or request, then perhaps a session. */
export interface UpstreamOwner {
  upstreamConnected(): void;
  /** `input[start, end)` has come. All connections of the thread share the buffer: it is valid during the call only. */
  upstreamData(input: Buffer, start: number, end: number): void;
  /** The bytes of a write that returned false have been taken: the next write may follow. */
  upstreamDrained?(): void;
  /** The endpoint has sent FIN. */
  upstreamEnded(): void;
  /** The connection has closed, and nothing follows. May be called before `destroy` returns. */
  upstreamClosed(error: Error | null): void;
}

export interface UpstreamSocket {
  owner: UpstreamOwner | null;
  /** The descriptor, on which bytes may be sent while none wait; -1 if all bytes must go through `write`. */
  readonly fd: number;
  /** Bytes that wait for the kernel to take them. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** Whether `end` has been called. */
  readonly writableEnded: boolean;
  /**
   * Sends bytes, behind those that wait. They must not change afterwards.
   *
   * @returns false if the next write should wait for {@link UpstreamOwner.upstreamDrained}
   */
  write(bytes: Buffer): boolean;
  /** Sends bytes that are valid during the call only, as {@link write} does. */
  writeCopy(bytes: Uint8Array): boolean;
  /** Receives nothing more until {@link resume}. */
  pause(): unknown;
  resume(): unknown;
  /** Sends FIN behind the bytes that wait, and closes when the endpoint's FIN has come. */
  end(): unknown;
  /** Closes now. The bytes that wait are lost. */
  destroy(): unknown;
}

/** Opens the upstream connections of one worker. */
export interface UpstreamDialler {
  /** Begins to connect. The owner has a deadline of its own, and hears nothing before this has returned. */
  open(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner): UpstreamSocket;
  /**
   * Gives Node a turn of the thread's loop. To be called when a client's connection has been written to, closed or
   * upgraded while an endpoint was served: Node would begin to watch that connection at its next turn only.
   */
  downstreamTouched(): void;
}
