import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { Backoff } from '../core/backoff.ts';
import type { BackoffLimits } from '../core/backoff.ts';
import { StartError, messageOf } from '../core/errors.ts';
import type { FromWorker } from '../protocol/from-worker.ts';
import type { ToWorker, WorkerKind } from '../protocol/to-worker.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { StatsPage } from '../telemetry/stats-page.ts';

/** `waiting` is between a fault and the next start; `ended` is for good. */
type WorkerState = 'starting' | 'up' | 'waiting' | 'draining' | 'ended';

export interface SlotTimings {
  /** From the start of a task to its `listening`, in milliseconds. */
  readonly startMs: number;
  /** After so many milliseconds of listening, earlier faults no longer count. */
  readonly steadyMs: number;
  readonly backoff: BackoffLimits;
}

interface SlotOptions {
  readonly kind: WorkerKind;
  readonly name: string;
  readonly generation: number;
  /** The page that every worker in this slot writes, one after the other. */
  readonly page: StatsPage;
  readonly timings: SlotTimings;
  readonly log: Logger;
  readonly onLines: (lines: string) => void;
  readonly onEndpointFailed: (cluster: string, endpoint: string) => void;
  /** Runs a `serve` task that speaks over the port; settles when the task has ended. */
  readonly serve: (port: MessagePort) => Promise<unknown>;
}

/** The place of one worker: runs its task, and starts it anew when it fails, until it is drained. */
export class WorkerSlot {
  readonly kind: WorkerKind;
  readonly name: string;
  /** Resolves when no task runs here any more and none will. */
  readonly ended: Promise<undefined>;
  readonly #options: SlotOptions;
  readonly #backoff: Backoff;
  readonly #firstListening = Promise.withResolvers<undefined>();
  readonly #end = Promise.withResolvers<undefined>();
  #state: WorkerState = 'waiting';
  #restarts = 0;
  #wasEverUp = false;
  #draining = false;
  #upSince = 0;
  #port: MessagePort | null = null;
  /** Of the next start while waiting, of the start deadline while starting. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.name = options.name;
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
  drain(graceMs: number): void {
    this.#draining = true;
    this.#firstListening.reject(new StartError(`worker ${this.name} was stopped before it was ready`));
    if (this.#state === 'ended') return;
    if (this.#state === 'waiting') {
      this.#finish();
      return;
    }
    clearTimeout(this.#timer);
    this.#state = 'draining';
    this.send({ type: 'drain', graceMs });
  }

  /** Says something to the worker, where it runs. */
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
        if (message.generation !== this.#options.generation) break;
        clearTimeout(this.#timer);
        this.#state = 'up';
        this.#wasEverUp = true;
        this.#upSince = performance.now();
        this.#firstListening.resolve(undefined);
        if (this.#restarts > 0) {
          this.#options.log.info({ worker: this.name, restarts: this.#restarts }, 'worker is up again');
        }
        break;
      case 'endpoint_failed':
        this.#options.onEndpointFailed(message.cluster, message.endpoint);
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
    this.#options.page.clearGauges();
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
      this.#finish();
      return;
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
