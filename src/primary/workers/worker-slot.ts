import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { StartError, messageOf } from '../../core/errors.ts';
import { Backoff } from '../../core/timing/backoff.ts';
import type { AccessCommand, AccessReport } from '../../protocol/access.ts';
import type { EndpointFailure, FromWorker } from '../../protocol/from-worker.ts';
import { Pulse } from '../../protocol/pulse.ts';
import type { SightListener } from '../../protocol/sight.ts';
import type { WorkerState } from '../../protocol/admin/status.ts';
import type { TapCommand } from '../../protocol/tap.ts';
import type { Heirs, Pace, ToWorker, WorkerKind } from '../../protocol/to-worker.ts';
import { allocateDescriptorTable, listeningIn } from '../../sys/descriptors/descriptor-table.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Question, type AskedCommand } from './question.ts';
import type { SlotTimings } from './slot-timings.ts';

/** The things that a slot gives to its worker's task. */
export interface Launch {
  readonly port: MessagePort;
  readonly pulse: Pulse;
  /** The table of the thread's descriptors. */
  readonly descriptors: SharedArrayBuffer;
  /** Aborted to terminate the thread. */
  readonly signal: AbortSignal;
}

/** How long a worker may take to bring what it is prepared for into force, which it does in one turn. */
const MAX_SETTLE_MS = 1000;

interface SlotOptions {
  readonly kind: WorkerKind;
  readonly name: string;
  /** The stats page: each worker of this slot writes it, one after the other. */
  readonly page: SharedArrayBuffer;
  /** Called when a task has ended: sets the gauges in the page to 0, and gives back the places that the task has held. */
  readonly clear: () => void;
  /** How often workers of this name have been restarted before. */
  readonly restarts: number;
  /** Whether the worker starts again if its first start fails. */
  readonly perseveres?: boolean;
  readonly timings: SlotTimings;
  readonly log: Logger;
  readonly onSight: SightListener;
  readonly onEndpointFailed: (failure: EndpointFailure) => void;
  /** @param reply sends the worker a message, as long as this run of it lasts; one function for the run */
  readonly onAccessReport: (report: AccessReport, reply: (command: AccessCommand) => void) => void;
  /** Called when a worker that was up before, or perseveres, does not listen in time. */
  readonly onLate?: (afterMs: number) => void;
  /** Runs a `serve` task; settles when the task, or its terminated thread, has ended. */
  readonly serve: (launch: Launch) => Promise<unknown>;
}

/** How a worker ends. */
interface WorkerEnding {
  readonly graceMs: number;
  readonly pace: Pace | null;
  readonly heirs: Heirs | null;
}

/** The place of one worker: runs its task, and restarts the task when it fails, until the worker is drained. */
export class WorkerSlot {
  readonly kind: WorkerKind;
  readonly name: string;
  readonly page: SharedArrayBuffer;
  /** The number of the configuration that the worker runs; the change of a generation sets it. */
  generation = 0;
  /** Resolves when no task runs here, and none will start. */
  readonly ended: Promise<undefined>;
  /** Resolves when nobody needs to wait for the worker: it has ended, or is stuck. */
  readonly gone: Promise<undefined>;
  readonly #options: SlotOptions;
  readonly #backoff: Backoff;
  readonly #firstListening = Promise.withResolvers<undefined>();
  readonly #end = Promise.withResolvers<undefined>();
  readonly #leave = Promise.withResolvers<undefined>();
  #state: WorkerState = 'waiting';
  #restarts: number;
  #wasEverUp = false;
  #startFailed = false;
  #draining = false;
  #upSince = 0;
  #port: MessagePort | null = null;
  #pulse: Pulse | null = null;
  #descriptors: SharedArrayBuffer | null = null;
  #reply: (command: AccessCommand | TapCommand) => void = () => undefined;
  #termination = new AbortController();
  /** The last command that has an answer; null before the first. */
  #question: Question | null = null;
  /** For the next start while waiting, for the start deadline while starting. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.name = options.name;
    this.page = options.page;
    this.#restarts = options.restarts;
    this.#backoff = new Backoff(options.timings.backoff);
    // A drain rejects it, and nobody may wait for the start.
    this.#firstListening.promise.catch(() => undefined);
    this.ended = this.#end.promise;
    this.gone = this.#leave.promise;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Restarts of workers of this name. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Whether the last start failed, and the next has not succeeded yet. */
  get startFailed(): boolean {
    return this.#startFailed;
  }

  /** The pulse of the running task; null if no task runs. */
  get pulse(): Pulse | null {
    return this.#pulse;
  }

  /** The descriptors of the sockets that the worker listens on. */
  get listeningSockets(): readonly number[] {
    return this.#descriptors === null ? [] : listeningIn(this.#descriptors);
  }

  /** Resolves when the worker has listened once; rejects with a StartError if it cannot. */
  get listening(): Promise<undefined> {
    return this.#firstListening.promise;
  }

  /** Starts the worker; resolves when it listens, rejects with a StartError when it does not. */
  start(): Promise<undefined> {
    if (!this.#draining) this.#launch();
    return this.#firstListening.promise;
  }

  /** Ends the worker for good, with a grace period for its connections; may be called again with a shorter one. */
  drain({ graceMs, pace, heirs }: WorkerEnding): void {
    this.#draining = true;
    this.#firstListening.reject(new StartError(`worker ${this.name} was stopped before it was ready`));
    if (this.#state === 'ended') return;
    if (this.#state === 'waiting') {
      this.#finish();
      return;
    }
    clearTimeout(this.#timer);
    if (this.#state !== 'stuck') this.#state = 'draining';
    this.#post({ type: 'end', graceMs, pace, heirs });
  }

  /** Stops waiting for a stuck worker, which drains as soon as its thread turns again. */
  abandon(ending: WorkerEnding): void {
    this.#state = 'stuck';
    this.drain(ending);
    this.#question?.drop();
    this.#leave.resolve(undefined);
  }

  /** Terminates the worker's thread, which must have no native handles: those would abort the process. */
  terminate(): void {
    this.#termination.abort();
  }

  /**
   * Lets the worker get ready for a generation.
   *
   * @returns what is in the way; null if nothing is, or if no worker runs: the next one starts with the generation that
   * is in use then
   */
  prepare(command: Extract<AskedCommand, { type: 'prepare' }>): Promise<string | null> {
    return this.#ask(command, this.#options.timings.startMs);
  }

  /** Lets the worker bring what it is prepared for into force, or drop it. Resolves then; a busy worker has 1 s. */
  async settle(command: Extract<AskedCommand, { type: 'settle' }>): Promise<void> {
    await this.#ask(command, MAX_SETTLE_MS);
  }

  /** Sends a message to the worker, if one runs. A stuck worker would only keep the message in memory. */
  send(message: ToWorker): void {
    if (this.#state !== 'stuck') this.#post(message);
  }

  #ask(command: AskedCommand, maxMs: number): Promise<string | null> {
    if (this.#port === null || (this.#state !== 'up' && this.#state !== 'starting'))
      return Promise.resolve(null);
    const question = (this.#question = new Question(command, this.name, maxMs));
    this.send(command);
    return question.problem;
  }

  #post(message: ToWorker): void {
    this.#port?.postMessage(message);
  }

  #launch(): void {
    // The port of the worker before stayed open for its last messages.
    this.#port?.close();
    const { port1, port2 } = new MessageChannel();
    const pulse = new Pulse();
    const descriptors = allocateDescriptorTable();
    this.#port = port1;
    this.#pulse = pulse;
    this.#descriptors = descriptors;
    this.#termination = new AbortController();
    const { signal } = this.#termination;
    this.#reply = (command) => {
      if (port1 === this.#port) this.send(command);
    };
    port1.on('message', (message: FromWorker) => this.#receive(message, port1));
    port1.unref();
    this.#state = 'starting';
    this.#timer = setTimeout(() => this.#late(), this.#options.timings.startMs);
    this.#options.serve({ port: port2, pulse, descriptors, signal }).then(
      () => this.#settled(null),
      (error: unknown) => this.#settled(error ?? new Error('the worker failed without saying why')),
    );
  }

  #receive(message: FromWorker, port: MessagePort): void {
    switch (message.type) {
      case 'log':
      case 'access_lines':
      case 'events':
      case 'spans':
      case 'tap':
        this.#options.onSight(message, this.name, this.#reply);
        break;
      case 'listening':
        if (port !== this.#port || this.#state !== 'starting') break;
        clearTimeout(this.#timer);
        this.#state = 'up';
        this.#wasEverUp = true;
        this.#startFailed = false;
        this.#upSince = performance.now();
        this.#firstListening.resolve(undefined);
        if (this.#restarts > 0) {
          this.#options.log.info({ worker: this.name, restarts: this.#restarts }, 'worker is up again');
          this.#tell('up', `restart ${this.#restarts}`);
        }
        break;
      case 'prepared':
      case 'settled':
        if (port === this.#port) this.#question?.hear(message);
        break;
      case 'endpoint_failed':
        this.#options.onEndpointFailed(message.failure);
        break;
      case 'answer':
      case 'verify_password':
      case 'drop_password':
      case 'key_set_wanted':
      case 'revoked_token':
      case 'limit_ledger':
        if (port === this.#port) this.#options.onAccessReport(message, this.#reply);
    }
  }

  #late(): void {
    const { timings, log, onLate, perseveres } = this.#options;
    const { startMs, firstStartMs } = timings;
    if (!this.#wasEverUp && perseveres !== true) {
      log.warn({ worker: this.name, afterMs: startMs, maxMs: firstStartMs }, 'worker does not listen yet');
      this.#timer = setTimeout(() => this.#missed(firstStartMs), firstStartMs - startMs);
      return;
    }
    const message = this.#missed(startMs);
    if (onLate === undefined) log.error({ worker: this.name }, message);
    else onLate(startMs);
  }

  /** Gives the start up. Returns the message for the log. */
  #missed(afterMs: number): string {
    const message = `worker ${this.name} does not listen after ${afterMs / 1000} s`;
    this.#startFailed = true;
    this.#firstListening.reject(new StartError(message));
    return message;
  }

  #settled(error: unknown): void {
    clearTimeout(this.#timer);
    this.#pulse = null;
    this.#descriptors = null;
    this.#receiveRest();
    this.#question?.drop();
    this.#options.clear();
    const { log, timings } = this.#options;
    const { name } = this;
    if (this.#state === 'stuck') {
      this.#finish();
      return;
    }
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
    this.#startFailed = this.#state === 'starting';
    if (this.#state === 'up' && performance.now() - this.#upSince >= timings.steadyMs) this.#backoff.reset();
    this.#state = 'waiting';
    const restartInMs = Math.round(this.#backoff.next());
    log.error({ err: reason, worker: name, restartInMs }, 'worker failed');
    this.#tell('failed', messageOf(reason));
    this.#timer = setTimeout(() => {
      this.#restarts++;
      this.#launch();
    }, restartInMs);
  }

  #tell(reason: string, detail: string): void {
    const event = { at: Date.now(), kind: 'worker', reason, detail } as const;
    this.#options.onSight({ type: 'events', events: [event], suppressed: 0 }, this.name, this.#reply);
  }

  /** Receives what the worker posted before its task ended: messages and the end of a task come by different ways. */
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
    this.#leave.resolve(undefined);
  }

  /** Closes the port; called after the end. */
  close(): void {
    this.#receiveRest();
    this.#port?.close();
  }
}
