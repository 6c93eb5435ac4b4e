import { keyForUws } from '../../config/schema/listener/l7-engine.ts';
import { tunnelClusters } from '../../config/schema/tunnel-clusters.ts';
import type { Config } from '../../config/types/config.ts';
import type { Listener } from '../../config/types/listener.ts';
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
  /** Returns why uWebSockets.js cannot be loaded, and what to do besides leaving it out. */
  readonly uws: () => { readonly problem: string; readonly remedy: string | null } | null;
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
  const problem = engineProblem(listener, machine);
  if (problem !== null) throw new StartError(problem);
  const { engine } = listener;
  const key = uwsKeyOf(listener);
  if (engine === 'auto' && key !== null && listener.mode === 'l7') {
    return { listener: { ...listener, engine: 'uws' }, reason: key, shortage: null };
  }
  if (engine !== 'auto') return { listener, reason: AS_CONFIGURED, shortage: null };
  return rawOrNet(listener, clusters, machine);
}

/**
 * Returns why the machine cannot run the only engine that the listener may have, with the remedy. Null if it
 * can, or if the listener may have several.
 */
export function engineProblem(listener: Listener, machine: MachineLimits): string | null {
  const key = uwsKeyOf(listener);
  const missing = key === null ? null : machine.uws();
  if (missing !== null) {
    const others = missing.remedy === null ? '' : `${missing.remedy}, or `;
    return (
      `listener "${listener.name}" needs the engine uws, which cannot be used: ${missing.problem}; ` +
      `${others}leave "${key}" out`
    );
  }
  const shortage = listener.engine === 'raw' ? shortageFor(listener, machine) : null;
  if (shortage === null) return null;
  return (
    `listener "${listener.name}" needs the engine raw, and ${textOf(shortage)}; ` +
    'write engine: auto to fall back to net'
  );
}

/** Returns the setting that only uws can do, as it is written. Null without one. */
function uwsKeyOf(listener: Listener): string | null {
  if (listener.mode !== 'l7') return null;
  return keyForUws({ engine: listener.engine, compression: listener.websocket.compression });
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
