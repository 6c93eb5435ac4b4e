import { keyForUws } from '../../config/schema/listener/l7-engine.ts';
import type { Config } from '../../config/types/config.ts';
import type { L4Listener, L7Engine, L7Listener, Listener } from '../../config/types/listener.ts';
import { StartError } from '../../core/errors.ts';
import { tunnelClusters } from '../../protocol/stats-layout.ts';

/** A listener with its engine. */
export interface EngineChoice {
  /** The listener, with an engine in place of `auto`. */
  readonly listener: Listener;
  /** Why it is this engine, in a few words. */
  readonly reason: string;
}

/** What this machine cannot do. Each function returns the problem in a few words; null for none. */
export interface MachineLimits {
  /** Why system calls cannot be used. */
  readonly systemCalls: () => string | null;
  /** Why uWebSockets.js cannot be loaded. */
  readonly uws: () => string | null;
}

/** The reason for an engine that the configuration names. */
const AS_CONFIGURED = 'as configured';

/**
 * Chooses the engine of a listener: first by what the listener needs, then by what the machine can do.
 *
 * @param listener as it was read: `auto` is not replaced yet
 * @throws StartError if the listener needs an engine that this machine does not have
 */
export function chooseEngine(
  listener: Listener,
  clusters: Config['clusters'],
  machine: MachineLimits,
): EngineChoice {
  return listener.mode === 'l4'
    ? chooseForTunnels(listener, clusters, machine)
    : chooseForWeb(listener, clusters, machine);
}

function chooseForTunnels(
  listener: L4Listener,
  clusters: Config['clusters'],
  machine: MachineLimits,
): EngineChoice {
  const { engine } = listener;
  return engine === 'auto' ? rawOrNet(listener, clusters, machine) : configured(listener, engine, machine);
}

function chooseForWeb(
  listener: L7Listener,
  clusters: Config['clusters'],
  machine: MachineLimits,
): EngineChoice {
  const { name, engine, tls, websocket } = listener;
  const key = keyForUws({ engine, hasTls: tls !== null, compression: websocket.compression });
  if (key !== null) {
    refuse(name, 'uws', machine.uws(), `use Node 22, or leave "${key}" out`);
    return { listener: { ...listener, engine: 'uws' }, reason: engine === 'auto' ? key : AS_CONFIGURED };
  }
  if (tls !== null && engine === 'net') {
    refuse(name, engine, 'it has no TLS towards clients yet', 'write engine: auto, or leave tls out');
  }
  return engine === 'auto' ? rawOrNet(listener, clusters, machine) : configured(listener, engine, machine);
}

function configured(listener: Listener, engine: string, machine: MachineLimits): EngineChoice {
  if (engine === 'raw')
    refuse(listener.name, engine, machine.systemCalls(), 'write engine: auto to fall back to net');
  return { listener, reason: AS_CONFIGURED };
}

function rawOrNet(listener: Listener, clusters: Config['clusters'], machine: MachineLimits): EngineChoice {
  const names = tunnelClusters(listener);
  const secure = clusters.find(({ name, tls }) => tls !== null && names.includes(name));
  if (secure !== undefined) {
    return { listener: { ...listener, engine: 'net' }, reason: `the cluster "${secure.name}" has tls` };
  }
  const problem = machine.systemCalls();
  return problem === null
    ? { listener: { ...listener, engine: 'raw' }, reason: 'system calls can be used' }
    : { listener: { ...listener, engine: 'net' }, reason: `system calls cannot be used: ${problem}` };
}

function refuse(listener: string, engine: L7Engine, problem: string | null, remedy: string): void {
  if (problem === null) return;
  throw new StartError(
    `listener "${listener}" needs the engine ${engine}, which cannot be used: ${problem}; ${remedy}`,
  );
}
