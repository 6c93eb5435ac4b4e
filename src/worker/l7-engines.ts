import type { L7Engine, L7Listener } from '../config/types/listener.ts';
import { messageOf } from '../core/errors.ts';
import type { RandomPool } from '../core/random-pool.ts';
import type { TicketKeyRing } from '../core/ticket-key-ring.ts';
import type { TimerWheel } from '../core/timing/timer-wheel.ts';
import type { BufferBudget } from '../l7/buffers/buffer-budget.ts';
import type { Engine } from '../l7/contract/engine.ts';
import { Http1Engine } from '../l7/http1/http1-engine.ts';
import type { UwsEngine } from '../l7/uws/uws-engine.ts';
import type { Logger } from '../telemetry/logger.ts';
import { NetClients } from '../transport/net/net-clients.ts';
import { RawClients } from '../transport/raw/raw-clients.ts';
import type { RawContext } from '../transport/raw/raw-context.ts';

/** Parts of a worker that its engines share. */
interface EngineContext {
  readonly log: Logger;
  readonly wheel: TimerWheel;
  readonly budget: BufferBudget;
  readonly random: RandomPool;
  /** Returns the ticket keys of a listener with TLS. */
  readonly ticketKeys: (listener: string) => TicketKeyRing;
  /** State shared by channels on system calls. Null without system calls. */
  readonly channels: RawContext | null;
  /** Calls back once at the end of the current turn of the loop. */
  readonly defer: (callback: () => void) => void;
  /** Calls back once in another turn of the loop. */
  readonly nextTurn: (callback: () => void) => void;
  /** Calls back once after uWS has delivered all bytes it has read. */
  readonly later: (callback: () => void) => void;
}

/** Null until a listener needs it. */
let uws: typeof UwsEngine | null = null;

/** Loads the code that listeners need. Rejects if they need uWebSockets.js and loading it fails. */
export async function loadEngines(listeners: readonly Pick<L7Listener, 'name' | 'engine'>[]): Promise<void> {
  const first = listeners.find(({ engine }) => engine === 'uws');
  if (first === undefined || uws !== null) return;
  try {
    uws = (await import('../l7/uws/uws-engine.ts')).UwsEngine;
  } catch (error) {
    const reason = messageOf(error).replaceAll(/\s+/g, ' ');
    throw new Error(`listener "${first.name}" needs the engine uws, but loading it failed: ${reason}`, {
      cause: error,
    });
  }
}

/**
 * The layer 7 engines of one worker. Each is created with its first listener, and uWebSockets.js is loaded
 * only then.
 */
export class L7Engines {
  readonly #context: EngineContext;
  readonly #made = new Map<L7Engine, Engine>();

  constructor(context: EngineContext) {
    this.#context = context;
  }

  /** Returns the engine of a listener. {@link loadEngines} must be called before. */
  of({ name, engine }: Pick<L7Listener, 'name' | 'engine'>): Engine {
    if (engine === 'auto') throw new Error(`no engine has been chosen for listener "${name}"`);
    let made = this.#made.get(engine);
    if (made === undefined) this.#made.set(engine, (made = this.#make(engine)));
    return made;
  }

  close(): void {
    for (const engine of this.#made.values()) engine.close();
  }

  #make(engine: L7Engine): Engine {
    const { channels, ...context } = this.#context;
    const yieldToNode = channels === null ? null : (): void => channels.loop.yieldToNode();
    switch (engine) {
      case 'raw':
        if (channels === null) throw new Error('the engine raw needs system calls');
        return new Http1Engine({ ...context, kind: engine, transport: new RawClients(channels) });
      case 'net':
        return new Http1Engine({
          ...context,
          kind: engine,
          transport: new NetClients(context.wheel, yieldToNode),
        });
      case 'uws':
        return new uws!({ ...context, loop: channels === null ? null : channels.loop });
    }
  }
}
