import type { L7Listener as L7ListenerConfig } from '../../config/types/listener.ts';
import type { EventLoop } from '../../loop/event-loop.ts';
import { deferToPollPhase } from '../../loop/poll-phase.ts';
import { Arrivals } from '../../sys/sockets/arrivals.ts';
import { createSlab } from '../buffers/slab.ts';
import type { ClientConnections } from '../contract/client-connections.ts';
import type { Engine, EngineListener, ListenerOwner } from '../contract/engine.ts';
import type { Relay, RelayTerms } from '../contract/relay.ts';
import type { MessageEnvironment } from '../websocket/message-relay/message-context.ts';
import { MessageRelay } from '../websocket/message-relay/message-relay.ts';
import { Outbox, SLAB_BYTES } from '../websocket/message-relay/outbox.ts';
import { ClientSockets } from './clients/client-sockets.ts';
import { ConnectionSearch } from './clients/connection-search.ts';
import { KnownConnections } from './clients/known-connections.ts';
import { LingeringConnections } from './clients/lingering-connections.ts';
import { UwsClientConnections } from './clients/uws-client-connections.ts';
import { SAMPLE_MS, UnfinishedMessages } from './unfinished/unfinished-messages.ts';
import { UwsListener, type UwsTerms } from './uws-listener.ts';

/**
 * Interval of {@link UnfinishedMessages.tick} without system calls, when it only reserves memory for
 * sessions.
 */
const BLIND_SAMPLE_MS = 1000;
const TIMERS = {
  now: () => performance.now(),
  delay: (ms: number, callback: () => void): void => void setTimeout(callback, ms),
};

/** The parts of a worker that the engine uses. */
interface UwsWorker
  extends
    Omit<MessageEnvironment, 'engine' | 'outbox'>,
    Omit<UwsTerms, 'engine' | 'unfinished' | 'accepting'> {
  /** Null if system calls are off. */
  readonly loop: EventLoop | null;
  /** Calls back once, at the end of the loop's current turn. */
  readonly defer: (callback: () => void) => void;
}

/** The layer 7 engine on uWebSockets.js. */
export class UwsEngine implements Engine {
  readonly clients: ClientConnections | null;
  readonly passesExtensions = false;
  readonly checksHeads = false;
  /** Null if system calls are off. */
  readonly #loop: EventLoop | null;
  readonly #unfinished: UnfinishedMessages;
  readonly #terms: UwsTerms;
  readonly #relays: MessageEnvironment;
  readonly #arrivals: Arrivals | null;
  readonly #sampling: NodeJS.Timeout;

  constructor({ log, later, loop, defer, wheel, budget, random }: UwsWorker) {
    this.#loop = loop;
    const sockets = loop === null ? null : new ClientSockets();
    this.#arrivals = loop === null ? null : new Arrivals();
    this.clients =
      sockets === null || this.#arrivals === null ? null : clientConnections(sockets, this.#arrivals, later);
    this.#unfinished = new UnfinishedMessages(budget, sockets, log, {
      now: () => performance.now(),
      residentBytes: () => process.memoryUsage.rss(),
    });
    const accepting =
      loop === null || sockets === null
        ? null
        : { loop, sockets, lingering: new LingeringConnections(sockets, TIMERS) };
    this.#terms = { engine: this, log, later, unfinished: this.#unfinished, accepting };
    this.#relays = {
      engine: this,
      wheel,
      outbox: new Outbox(createSlab(SLAB_BYTES, loop !== null), defer),
      budget,
      random,
    };
    this.#sampling = setInterval(() => this.#unfinished.tick(), loop === null ? BLIND_SAMPLE_MS : SAMPLE_MS);
  }

  createListener(config: L7ListenerConfig, owner: ListenerOwner): EngineListener {
    return new UwsListener(config, owner, this.#terms);
  }

  createRelay(terms: RelayTerms): Relay {
    return new MessageRelay(this.#relays, terms);
  }

  /**
   * Yields to Node's loop, which would otherwise watch the connection only from its next turn on (20.66 to
   * 20.68).
   */
  clientsTouched(): void {
    this.#loop?.yieldToNode();
  }

  close(): void {
    clearInterval(this.#sampling);
    this.#arrivals?.close();
  }
}

function clientConnections(
  sockets: ClientSockets,
  arrivals: Arrivals,
  later: UwsTerms['later'],
): ClientConnections {
  const known = new KnownConnections(sockets, arrivals);
  const search = new ConnectionSearch(sockets, known, {
    ...TIMERS,
    later,
    soon: deferToPollPhase,
  });
  return new UwsClientConnections(known, search);
}
