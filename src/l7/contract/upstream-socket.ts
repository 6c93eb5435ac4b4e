/**
 * A connection to an endpoint as handshake and session see it, whatever carries it: system calls
 * (`raw-upstream.ts`), or Node's sockets where those cannot be used or the cluster has TLS (`net-upstream.ts`).
 */
import type { Cluster } from '../../upstream/cluster.ts';
import type { Endpoint } from '../../upstream/endpoint.ts';

/** Who is told what happens on an upstream connection: first the handshake, then the session. */
export interface UpstreamOwner {
  upstreamConnected(): void;
  /** `input[start, end)` has arrived; the buffer is shared by all connections of the thread and valid during the call only. */
  upstreamData(input: Buffer, start: number, end: number): void;
  /** After a write that was to be waited for: the next may follow. */
  upstreamDrained?(): void;
  /** The endpoint has sent FIN. */
  upstreamEnded(): void;
  /** The connection is gone; nothing follows. It may come before `destroy` returns. */
  upstreamClosed(error: Error | null): void;
}

export interface UpstreamSocket {
  owner: UpstreamOwner | null;
  /** The descriptor, on which bytes may be sent while none wait; -1 where they must go through `write`. */
  readonly fd: number;
  /** Bytes that wait for the kernel to take them. */
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** Whether `end` has been called. */
  readonly writableEnded: boolean;
  /**
   * Sends bytes, behind those that wait; they must not change afterwards.
   *
   * @returns false where more should wait until {@link UpstreamOwner.upstreamDrained}
   */
  write(bytes: Buffer): boolean;
  /** As {@link write}, of bytes that are valid during the call only. */
  writeCopy(bytes: Uint8Array): boolean;
  /** Receives nothing more until {@link resume}. */
  pause(): unknown;
  resume(): unknown;
  /** Sends FIN behind the bytes that wait, and closes when the endpoint's has come. */
  end(): unknown;
  /** Closes now; what waits is lost. */
  destroy(): unknown;
}

/** Opens the upstream connections of one worker. */
export interface UpstreamDialler {
  /**
   * Begins to connect for an owner, who has its own deadline and hears nothing before this has returned.
   */
  open(cluster: Cluster, endpoint: Endpoint, owner: UpstreamOwner): UpstreamSocket;
  /**
   * To be called when the client's side has been written to, closed or upgraded while an endpoint was served:
   * Node may have something to watch for, and where it does not have the thread's loop it needs a turn for that.
   */
  downstreamTouched(): void;
}
