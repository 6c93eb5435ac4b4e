import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Backoff } from '../core/backoff.ts';
import type { BackoffLimits } from '../core/backoff.ts';
import { StartError, messageOf } from '../core/errors.ts';
import type { EndpointFailure, FromWorker } from '../protocol/from-worker.ts';
import type { Heirs, Pace, ToWorker, WorkerKind } from '../protocol/to-worker.ts';
import type { Logger } from '../telemetry/logger.ts';

/** `waiting` is between a fault and the next start; `ended` is for good. */
type WorkerState = 'starting' | 'up' | 'waiting' | 'draining' | 'ended';

export interface SlotTimings {
  /** From the start of a task to its `listening`, and for the answer to a `prepare`, in milliseconds. */
  readonly startMs: number;
  /** After so many milliseconds of listening, earlier faults no longer count. */
  readonly steadyMs: number;
  readonly backoff: BackoffLimits;
}

interface SlotOptions {
  readonly kind: WorkerKind;
  readonly name: string;
  /** The page that every worker in this slot writes, one after the other. */
  readonly page: SharedArrayBuffer;
  /** Sets the gauges in the page to 0. */
  readonly clearGauges: () => void;
  /** How often a worker of the name has been started anew before. */
  readonly restarts: number;
  /** Whether it is tried again where its first start fails. */
  readonly perseveres?: boolean;
  readonly timings: SlotTimings;
  readonly log: Logger;
  readonly onLines: (lines: string) => void;
  readonly onEndpointFailed: (failure: EndpointFailure) => void;
  /** Runs a `serve` task that speaks over the port; settles when the task has ended. */
  readonly serve: (port: MessagePort) => Promise<unknown>;
}

/** How a worker is to end. */
interface Ending {
  readonly graceMs: number;
  readonly pace: Pace | null;
  readonly heirs: Heirs | null;
}

/** The place of one worker: runs its task, and starts it anew when it fails, until it is drained. */
export class WorkerSlot {
  readonly kind: WorkerKind;
  readonly name: string;
  readonly page: SharedArrayBuffer;
  /** Of the configuration that its worker runs; its owner keeps it. */
  generation = 0;
  /** Resolves when no task runs here any more and none will. */
  readonly ended: Promise<undefined>;
  readonly #options: SlotOptions;
  readonly #backoff: Backoff;
  readonly #firstListening = Promise.withResolvers<undefined>();
  readonly #end = Promise.withResolvers<undefined>();
  #state: WorkerState = 'waiting';
  #restarts: number;
  #wasEverUp = false;
  #draining = false;
  #upSince = 0;
  #port: MessagePort | null = null;
  /** Who waits for the answer to a `prepare`. */
  #preparing: { readonly generation: number; answer(problem: string | null): void } | null = null;
  /** Of the next start while waiting, of the start deadline while starting. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.name = options.name;
    this.page = options.page;
    this.#restarts = options.restarts;
    this.#backoff = new Backoff(options.timings.backoff);
    // Not everybody who drains has also waited for the start.
    this.#firstListening.promise.catch(() => undefined);
    this.ended = this.#end.promise;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Times that the worker was started anew. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Starts the worker; resolves when it listens, rejects with a StartError when it does not. */
  start(): Promise<undefined> {
    if (!this.#draining) this.#launch();
    return this.#firstListening.promise;
  }

  /** Ends the worker for good, giving its connections so many milliseconds; may be called again with fewer. */
  drain({ graceMs, pace, heirs }: Ending): void {
    this.#draining = true;
    this.#firstListening.reject(new StartError(`worker ${this.name} was stopped before it was ready`));
    if (this.#state === 'ended') return;
    if (this.#state === 'waiting') {
      this.#finish();
      return;
    }
    clearTimeout(this.#timer);
    this.#state = 'draining';
    this.send({ type: 'end', graceMs, pace, heirs });
  }

  /** Makes the worker throw, where it runs. */
  fault(): void {
    this.send({ type: 'fault' });
  }

  /**
   * Lets the worker get ready for a generation. Resolves with what is in the way; with null where nothing is, also
   * because no worker runs: the next one gets the generation that is in use when it starts.
   */
  prepare(command: Extract<ToWorker, { type: 'prepare' }>): Promise<string | null> {
    if (this.#port === null || (this.#state !== 'up' && this.#state !== 'starting'))
      return Promise.resolve(null);
    return new Promise((resolve) => {
      const { startMs } = this.#options.timings;
      const timer = setTimeout(
        () => answer(`worker ${this.name} does not answer after ${startMs / 1000} s`),
        startMs,
      );
      const answer = (problem: string | null): void => {
        clearTimeout(timer);
        this.#preparing = null;
        resolve(problem === null ? null : `worker ${this.name}: ${problem}`);
      };
      this.#preparing = { generation: command.generation, answer };
      this.send(command);
    });
  }

  /** Says something to the worker, where one runs. */
  send(message: ToWorker): void {
    this.#port?.postMessage(message);
  }

  #launch(): void {
    // Until now it stayed open for what the worker before had still to say.
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.on('message', (message: FromWorker) => this.#receive(message, port1));
    port1.unref();
    this.#state = 'starting';
    this.#timer = setTimeout(() => this.#late(), this.#options.timings.startMs);
    this.#options.serve(port2).then(
      () => this.#settled(null),
      (error: unknown) => this.#settled(error ?? new Error('the worker failed without saying why')),
    );
  }

  #receive(message: FromWorker, port: MessagePort): void {
    switch (message.type) {
      case 'log':
        this.#options.onLines(message.lines);
        break;
      case 'listening':
        if (port !== this.#port || this.#state !== 'starting') break;
        clearTimeout(this.#timer);
        this.#state = 'up';
        this.#wasEverUp = true;
        this.#upSince = performance.now();
        this.#firstListening.resolve(undefined);
        if (this.#restarts > 0) {
          this.#options.log.info({ worker: this.name, restarts: this.#restarts }, 'worker is up again');
        }
        break;
      case 'prepared':
        if (port !== this.#port || message.generation !== this.#preparing?.generation) break;
        this.#preparing.answer(message.problem);
        break;
      case 'endpoint_failed':
        this.#options.onEndpointFailed(message.failure);
        break;
      default:
        message satisfies never;
    }
  }

  #late(): void {
    const seconds = this.#options.timings.startMs / 1000;
    const message = `worker ${this.name} does not listen after ${seconds} s`;
    if (this.#wasEverUp) this.#options.log.error({ worker: this.name }, message);
    else this.#firstListening.reject(new StartError(message));
  }

  #settled(error: unknown): void {
    clearTimeout(this.#timer);
    this.#receiveRest();
    this.#preparing?.answer(null);
    this.#options.clearGauges();
    const { log, timings } = this.#options;
    const { name } = this;
    if (this.#draining) {
      if (error !== null) log.error({ err: error, worker: name }, 'worker failed while it drained');
      this.#finish();
      return;
    }
    const reason = error ?? new Error('the worker ended without being told to');
    if (!this.#wasEverUp) {
      const [line = ''] = messageOf(reason).split('\n');
      this.#firstListening.reject(new StartError(`worker ${name} did not start: ${line}`, { cause: reason }));
      if (this.#options.perseveres !== true) {
        this.#finish();
        return;
      }
    }
    if (this.#state === 'up' && performance.now() - this.#upSince >= timings.steadyMs) this.#backoff.reset();
    this.#state = 'waiting';
    const restartInMs = Math.round(this.#backoff.next());
    log.error({ err: reason, worker: name, restartInMs }, 'worker failed');
    this.#timer = setTimeout(() => {
      this.#restarts++;
      this.#launch();
    }, restartInMs);
  }

  /** Takes what the worker posted before its task ended, which came by another way than the end itself. */
  #receiveRest(): void {
    const port = this.#port;
    if (port === null) return;
    for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
      this.#receive(next.message as FromWorker, port);
    }
  }

  #finish(): void {
    clearTimeout(this.#timer);
    this.#state = 'ended';
    this.#end.resolve(undefined);
  }

  /** Lets go of the port; only after the end. */
  close(): void {
    this.#receiveRest();
    this.#port?.close();
  }
}
