/** A cluster in the form for workers: few objects and one block of bytes, which all workers share. */
import { deserialize, serialize } from 'node:v8';
import type { Cluster } from '../config/types/cluster.ts';
import { processClock } from '../core/timing/process-clock.ts';
import type { ClusterState, EndpointState } from './cluster-state.ts';

/** All threads agree on it. */
const now = processClock();

/** The settings of a cluster. Its endpoints are those of its state. */
export type ClusterSettings = Omit<Cluster, 'endpoints'>;

/** A worker reads the contents when it first uses the cluster: until then 10,000 endpoints are no objects of its heap. */
export interface ClusterRecord {
  readonly name: string;
  /** The serialized {@link Contents}. It is never written again. */
  readonly memory: SharedArrayBuffer;
  /** See {@link ClusterState.cursor}. */
  readonly cursor: SharedArrayBuffer;
  /** The header on which the balancer hashes, in lower case; null if it hashes on something else. */
  readonly hashHeader: string | null;
  /** Whether connections to the endpoints begin with TLS, whose files a worker must be able to use. */
  readonly hasTls: boolean;
}

interface Contents {
  readonly settings: ClusterSettings;
  readonly endpoints: readonly EndpointState[];
  /** When the record was written, in milliseconds of the process's clock. */
  readonly writtenAt: number;
}

/**
 * Writes the record of a cluster.
 *
 * @param slotOf returns the first slot of the series of a listed endpoint, by its label
 */
export function writeClusterRecord(
  config: Cluster,
  state: ClusterState,
  slotOf: (label: string) => number,
): ClusterRecord {
  const { endpoints, ...settings } = config;
  const contents: Contents = {
    settings,
    endpoints: state.endpoints.map((endpoint) =>
      endpoint.slot === null ? { ...endpoint, slot: slotOf(endpoint.label) } : endpoint,
    ),
    writtenAt: now(),
  };
  const bytes = serialize(contents);
  const memory = new SharedArrayBuffer(bytes.length);
  new Uint8Array(memory).set(bytes);
  const { hashOn, tls } = config;
  return {
    name: config.name,
    memory,
    cursor: state.cursor,
    hashHeader: hashOn.kind === 'header' ? hashOn.name : null,
    hasTls: tls !== null,
  };
}

/** Reads a record. The slow starts of its endpoints are as long as they still take now. */
export function readClusterRecord({ name, memory, cursor }: ClusterRecord): {
  readonly settings: ClusterSettings;
  readonly state: ClusterState;
} {
  // A copy: what is read may refer to the bytes, and OpenSSL takes none in shared memory.
  const { settings, endpoints, writtenAt } = deserialize(Buffer.from(new Uint8Array(memory))) as Contents;
  const passedMs = now() - writtenAt;
  const current = endpoints.map((state) => {
    if (state.warmLeftMs === 0) return state;
    return { ...state, warmLeftMs: Math.max(0, state.warmLeftMs - passedMs) };
  });
  return { settings, state: { cluster: name, cursor, endpoints: current } };
}
