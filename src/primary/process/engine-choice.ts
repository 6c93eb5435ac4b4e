import { keyForUws } from '../../config/schema/listener/l7-engine.ts';
import { tunnelClusters } from '../../config/schema/tunnel-clusters.ts';
import type { Config } from '../../config/types/config.ts';
import type { L7Listener, Listener } from '../../config/types/listener.ts';
import { StartError } from '../../core/errors.ts';

/** A listener with its engine. */
export interface EngineChoice {
  /** The listener, with an engine in place of `auto`. */
  readonly listener: Listener;
  /** Why this engine was chosen, in a few words. */
  readonly reason: string;
  /** Why the machine cannot run `raw`, which would otherwise be chosen; null if it can. */
  readonly shortage: Shortage | null;
}

/** A missing capability of the machine, and the reason in a few words. */
export interface Shortage {
  readonly what: 'system calls' | 'OpenSSL';
  readonly problem: string;
}

/** Limits of this machine. Each function returns the problem in a few words, or null. */
export interface MachineLimits {
  /** Returns why system calls cannot be used. */
  readonly systemCalls: () => string | null;
  /** Returns why the Node binary's OpenSSL cannot be used by FFI. Called only if system calls can be used. */
  readonly openssl: () => string | null;
  /** Returns why uWebSockets.js cannot be loaded. */
  readonly uws: () => string | null;
}

/** Reason for an engine that the configuration names. */
const AS_CONFIGURED = 'as configured';

/**
 * Chooses the engine of a listener: first by the listener's needs, then by the machine's capabilities.
 *
 * @param listener listener as it was read, before `auto` is replaced
 * @throws StartError if the listener needs an engine that this machine cannot run
 */
export function chooseEngine(
  listener: Listener,
  clusters: Config['clusters'],
  machine: MachineLimits,
): EngineChoice {
  const { engine } = listener;
  if (listener.mode === 'l7') {
    const key = keyForUws({ engine: listener.engine, compression: listener.websocket.compression });
    if (key !== null) return chooseUws(listener, key, machine);
  }
  return engine === 'auto' ? rawOrNet(listener, clusters, machine) : configured(listener, engine, machine);
}

function chooseUws(listener: L7Listener, key: string, machine: MachineLimits): EngineChoice {
  const problem = machine.uws();
  if (problem !== null) {
    throw new StartError(
      `listener "${listener.name}" needs the engine uws, which cannot be used: ${problem}; use Node 22, or leave "${key}" out`,
    );
  }
  const reason = listener.engine === 'auto' ? key : AS_CONFIGURED;
  return { listener: { ...listener, engine: 'uws' }, reason, shortage: null };
}

function configured(listener: Listener, engine: string, machine: MachineLimits): EngineChoice {
  const shortage = engine === 'raw' ? shortageFor(listener, machine) : null;
  if (shortage !== null) {
    throw new StartError(
      `listener "${listener.name}" needs the engine raw, and ${textOf(shortage)}; write engine: auto to fall back to net`,
    );
  }
  return { listener, reason: AS_CONFIGURED, shortage: null };
}

function rawOrNet(listener: Listener, clusters: Config['clusters'], machine: MachineLimits): EngineChoice {
  const names = tunnelClusters(listener);
  const secure = clusters.find(({ name, tls }) => tls !== null && names.includes(name));
  if (secure !== undefined) {
    const reason = `the cluster "${secure.name}" has tls`;
    return { listener: { ...listener, engine: 'net' }, reason, shortage: null };
  }
  const shortage = shortageFor(listener, machine);
  if (shortage !== null) {
    return { listener: { ...listener, engine: 'net' }, reason: textOf(shortage), shortage };
  }
  const reason = needsOpenssl(listener) ? 'system calls and OpenSSL can be used' : 'system calls can be used';
  return { listener: { ...listener, engine: 'raw' }, reason, shortage };
}

/** Returns what the machine lacks for the engine raw; null if nothing. */
function shortageFor(listener: Listener, machine: MachineLimits): Shortage | null {
  const calls = machine.systemCalls();
  if (calls !== null) return { what: 'system calls', problem: calls };
  const openssl = needsOpenssl(listener) ? machine.openssl() : null;
  return openssl === null ? null : { what: 'OpenSSL', problem: openssl };
}

function needsOpenssl(listener: Listener): boolean {
  return listener.mode === 'l7' && listener.tls !== null;
}

/** Formats a shortage and its reason. */
function textOf({ what, problem }: Shortage): string {
  return `${what} cannot be used: ${problem}`;
}
