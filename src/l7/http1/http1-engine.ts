import type { L7Listener } from '../../config/types/listener.ts';
import type { RandomPool } from '../../core/random-pool.ts';
import type { TimerWheel } from '../../core/timing/timer-wheel.ts';
import type { ClientTransport } from '../../transport/client-transport.ts';
import type { BufferBudget } from '../buffers/buffer-budget.ts';
import { ChannelWriter, WRITER_SLAB_BYTES } from '../buffers/channel-writer.ts';
import { createSlab } from '../buffers/slab.ts';
import type { ClientConnections } from '../contract/client-connections.ts';
import type { Engine, EngineListener, ListenerOwner } from '../contract/engine.ts';
import type { Relay, RelayTerms } from '../contract/relay.ts';
import { StreamRelay } from '../websocket/stream-relay/stream-relay.ts';
import { clientLinks } from './client-links.ts';
import { Http1Listener, type Http1Terms } from './http1-listener.ts';
import { Pipelines } from './pipelines.ts';

/** The parts of a worker that the engine uses. */
interface Http1Worker {
  /** `raw`: the transport's channels have descriptors for system calls. `net`: they use Node's sockets. */
  readonly kind: 'raw' | 'net';
  readonly transport: ClientTransport;
  readonly ticketKeys: Http1Terms['ticketKeys'];
  readonly wheel: TimerWheel;
  readonly budget: BufferBudget;
  readonly random: RandomPool;
  /** Calls back once, at the end of the loop's current turn. */
  readonly defer: (callback: () => void) => void;
  /** Calls back once, in a later turn of the loop, after the events that have arrived by then. */
  readonly nextTurn: (callback: () => void) => void;
}

/** The layer 7 engine with sluice's own HTTP/1.x and stream relay, on a transport of channels. */
export class Http1Engine implements Engine {
  readonly clients: ClientConnections = clientLinks;
  readonly passesExtensions = true;
  readonly checksHeads = true;
  readonly #terms: Http1Terms;
  readonly #relays: Pick<Http1Worker, 'wheel' | 'budget' | 'random'>;

  constructor({ kind, transport, ticketKeys, wheel, budget, random, defer, nextTurn }: Http1Worker) {
    const writer = new ChannelWriter(createSlab(WRITER_SLAB_BYTES, kind === 'raw'));
    this.#terms = {
      engine: this,
      transport,
      ticketKeys,
      wheel,
      writer,
      pipelines: new Pipelines(defer, nextTurn),
    };
    this.#relays = { wheel, budget, random };
  }

  createListener(config: L7Listener, owner: ListenerOwner): EngineListener {
    return new Http1Listener(config, owner, this.#terms);
  }

  clientsTouched(): void {
    // Channels need no processing.
  }

  createRelay(terms: RelayTerms): Relay {
    return new StreamRelay(this.#relays, terms);
  }

  close(): void {
    // Listeners share only memory.
  }
}
