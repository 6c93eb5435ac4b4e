/** A cluster serialized for workers: few objects, and one block of bytes that all workers share. */
import { deserialize, serialize } from 'node:v8';
import type { Cluster } from '../config/types/cluster.ts';
import { processClock } from '../core/timing/process-clock.ts';
import type { ClusterState, EndpointState } from './cluster-state.ts';

/** All threads of the process share this clock. */
const now = processClock();

/** Settings of a cluster. Its endpoints are in its {@link ClusterState}. */
export type ClusterSettings = Omit<Cluster, 'endpoints'>;

/**
 * A worker deserializes the contents when it first uses the cluster. Until then, 10,000 endpoints add no
 * objects to its heap.
 */
export interface ClusterRecord {
  readonly name: string;
  /** The serialized {@link Contents}. Never changes after it is written. */
  readonly memory: SharedArrayBuffer;
  /** See {@link ClusterState.cursor}. */
  readonly cursor: SharedArrayBuffer;
  /** Header that the balancer hashes, in lower case; null if it hashes something else. */
  readonly hashHeader: string | null;
  /** Whether endpoints use TLS. Each worker must then be able to load the TLS files. */
  readonly hasTls: boolean;
}

interface Contents {
  readonly settings: ClusterSettings;
  readonly endpoints: readonly EndpointState[];
  /** When the record was written, in milliseconds on the process's clock. */
  readonly writtenAt: number;
}

/**
 * Serializes a cluster.
 *
 * @param slotOf returns the first slot of a configured endpoint's series, by its label
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

/** Deserializes a record. Shortens slow starts by the time since the record was written. */
export function readClusterRecord({ name, memory, cursor }: ClusterRecord): {
  readonly settings: ClusterSettings;
  readonly state: ClusterState;
} {
  // Copy the bytes: the result may refer to them, and OpenSSL accepts no shared memory.
  const { settings, endpoints, writtenAt } = deserialize(Buffer.from(new Uint8Array(memory))) as Contents;
  const passedMs = now() - writtenAt;
  const current = endpoints.map((state) => {
    if (state.warmLeftMs === 0) return state;
    return { ...state, warmLeftMs: Math.max(0, state.warmLeftMs - passedMs) };
  });
  return { settings, state: { cluster: name, cursor, endpoints: current } };
}
