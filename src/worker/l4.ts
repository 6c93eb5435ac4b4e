import type { L4Listener as L4ListenerConfig } from '../config/types/listener.ts';
import { ThreadLock } from '../core/thread-lock.ts';
import type { TimerWheel } from '../core/timing/timer-wheel.ts';
import { L4Listener, type L4Environment } from '../l4/l4-listener.ts';
import { NetListener } from '../l4/net/net-listener.ts';
import { RawListener } from '../l4/raw/raw-listener.ts';
import { RawLoop } from '../l4/raw/raw-tunnel.ts';
import type { Tunnel, TunnelContext, TunnelListener, TunnelOwner } from '../l4/tunnel.ts';
import type { WorkerStart } from '../protocol/to-worker.ts';
import type { Environment } from './environment.ts';
import { Generations } from './generations/generations.ts';
import type { ConnectionGroup, Layer } from './generations/layer.ts';
import { runService } from './service-task.ts';
import { tunnelGroup } from './tunnels/tunnel-group.ts';

/** Runs the layer 4 worker's task: serves every `l4` listener of the configuration until drained. */
export default function serve(start: WorkerStart): Promise<void> {
  return runService(start, (environment, { listenLock }) => {
    return new Generations(new TunnelLayer(environment.wheel), environment, new ThreadLock(listenLock));
  });
}

/**
 * The layer 4 part of a worker. Listeners of both engines share one thread: the `raw` engine's loop gives
 * Node its turns for the `net` engine.
 */
class TunnelLayer implements Layer<L4Listener, L4ListenerConfig, L4Environment, TunnelContext, Tunnel> {
  readonly kind = 'l4';
  readonly nextTurn = (callback: () => void): void => {
    setImmediate(callback);
    this.#loop?.yieldToNode();
  };
  readonly #wheel: TimerWheel;
  /** Null until the first listener of the `raw` engine is created. */
  #loop: RawLoop | null = null;

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel;
  }

  get innerLoop(): RawLoop | null {
    return this.#loop;
  }

  configsOf({ config }: Environment): L4ListenerConfig[] {
    return config.listeners.filter((listener) => listener.mode === 'l4');
  }

  load(): Promise<void> {
    return Promise.resolve();
  }

  share(environment: Environment): L4Environment {
    return environment;
  }

  create(config: L4ListenerConfig, shared: L4Environment): L4Listener {
    return new L4Listener(config, shared, (owner) => this.#carry(config.engine, owner));
  }

  groupOf(context: TunnelContext): ConnectionGroup<Tunnel> {
    return tunnelGroup(context);
  }

  closesAtEnd(): boolean {
    return false;
  }

  started(): void {
    // The `raw` engine's loop starts with its first listener.
  }

  committed(): void {
    // No shared state depends on the configuration.
  }

  aborting(): void {
    // Everything belongs to a listener or a context.
  }

  close(): void {
    this.#loop?.close();
  }

  #carry(engine: L4ListenerConfig['engine'], owner: TunnelOwner): TunnelListener {
    if (engine !== 'raw') return new NetListener(owner, this.#wheel, () => this.#loop?.yieldToNode());
    this.#loop ??= new RawLoop(this.#wheel);
    return new RawListener(owner, this.#loop);
  }
}
