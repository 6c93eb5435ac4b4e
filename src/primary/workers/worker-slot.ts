import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { StartError, messageOf } from '../../core/errors.ts';
import { Backoff } from '../../core/timing/backoff.ts';
import type { AccessCommand, AccessReport } from '../../protocol/access.ts';
import type { EndpointFailure, FromWorker } from '../../protocol/from-worker.ts';
import { Pulse } from '../../protocol/pulse.ts';
import type { TelemetryListener } from '../../protocol/telemetry-report.ts';
import type { WorkerState } from '../../protocol/admin/status.ts';
import type { Successors, Pace, ToWorker, WorkerKind } from '../../protocol/to-worker.ts';
import { allocateDescriptorTable, listeningDescriptorsIn } from '../../sys/descriptors/descriptor-table.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { Question, type AskedCommand } from './question.ts';
import type { SlotTimings } from './slot-timings.ts';

/** The arguments of a slot's worker task. */
export interface TaskArguments {
  readonly port: MessagePort;
  readonly pulse: Pulse;
  /** Table of the thread's descriptors. */
  readonly descriptors: SharedArrayBuffer;
  /** Aborted to terminate the thread. */
  readonly signal: AbortSignal;
}

/** Max time for a worker to commit or drop a prepared configuration, which it does in one turn. */
const MAX_SETTLE_MS = 1000;

interface SlotOptions {
  readonly kind: WorkerKind;
  readonly name: string;
  /** Stats page that the workers of this slot write, one after the other. */
  readonly page: SharedArrayBuffer;
  /** Called after a task ends. Resets the page's gauges, and releases the places that the task held. */
  readonly clear: () => void;
  /** Number of earlier restarts of workers with this name. */
  readonly restarts: number;
  /** Whether to start the worker again if its first start fails. */
  readonly retriesStart?: boolean;
  readonly timings: SlotTimings;
  readonly log: Logger;
  readonly onTelemetry: TelemetryListener;
  readonly onEndpointFailed: (failure: EndpointFailure) => void;
  /** @param reply sends a message to the reporting worker run, if it still lives. One function for the run */
  readonly onAccessReport: (report: AccessReport, reply: (command: AccessCommand) => void) => void;
  /** Called when a worker that was up before, or retries its starts, does not listen in time. */
  readonly onLate?: (afterMs: number) => void;
  /** Runs a `serve` task. Settles when the task or its terminated thread has ended. */
  readonly serve: (launch: TaskArguments) => Promise<unknown>;
}

/** How a worker ends. */
interface WorkerEnding {
  readonly graceMs: number;
  readonly pace: Pace | null;
  readonly successors: Successors | null;
}

/** The slot of one worker. Runs the worker's task, and restarts it after failures until the drain. */
export class WorkerSlot {
  readonly kind: WorkerKind;
  readonly name: string;
  readonly page: SharedArrayBuffer;
  /** Number of the worker's configuration. The change of a generation sets it. */
  generation = 0;
  /** Resolves when no task runs in the slot and none will start. */
  readonly ended: Promise<undefined>;
  /** Resolves when nobody needs to wait for the worker: it has ended or is stuck. */
  readonly endedOrStuck: Promise<undefined>;
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
  #reply: (command: AccessCommand) => void = () => undefined;
  #termination = new AbortController();
  /** The last command that needs an answer; null before the first. */
  #question: Question | null = null;
  /** Next start while waiting, start deadline while starting. */
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.kind = options.kind;
    this.name = options.name;
    this.page = options.page;
    this.#restarts = options.restarts;
    this.#backoff = new Backoff(options.timings.backoff);
    // A drain rejects the promise, even if nobody waits for the start.
    this.#firstListening.promise.catch(() => undefined);
    this.ended = this.#end.promise;
    this.endedOrStuck = this.#leave.promise;
  }

  get state(): WorkerState {
    return this.#state;
  }

  /** Restarts of workers with this name. */
  get restarts(): number {
    return this.#restarts;
  }

  /** Whether the last start failed and the next has not succeeded yet. */
  get startFailed(): boolean {
    return this.#startFailed;
  }

  /** Pulse of the running task; null if no task runs. */
  get pulse(): Pulse | null {
    return this.#pulse;
  }

  /** Descriptors of the worker's listening sockets. */
  get listeningSockets(): readonly number[] {
    return this.#descriptors === null ? [] : listeningDescriptorsIn(this.#descriptors);
  }

  /** Resolves when the worker has listened once. @throws StartError if it cannot */
  get listening(): Promise<undefined> {
    return this.#firstListening.promise;
  }

  /** Starts the worker. Resolves when it listens. @throws StartError if it does not */
  start(): Promise<undefined> {
    if (!this.#draining) this.#launch();
    return this.#firstListening.promise;
  }

  /** Drains the worker for good within a grace period. Can be called again with a shorter period. */
  drain({ graceMs, pace, successors }: WorkerEnding): void {
    this.#draining = true;
    this.#firstListening.reject(new StartError(`worker ${this.name} was stopped before it was ready`));
    if (this.#state === 'ended') return;
    if (this.#state === 'waiting') {
      this.#finish();
      return;
    }
    clearTimeout(this.#timer);
    if (this.#state !== 'stuck') this.#state = 'draining';
    this.#post({ type: 'end', graceMs, pace, successors });
  }

  /** Stops waiting for a stuck worker. It drains when its thread turns again. */
  abandon(ending: WorkerEnding): void {
    this.#state = 'stuck';
    this.drain(ending);
    this.#question?.drop();
    this.#leave.resolve(undefined);
  }

  /** Terminates the worker's thread. The thread must have no native handles: they would abort the process. */
  terminate(): void {
    this.#termination.abort();
  }

  /**
   * Prepares the worker for a generation.
   *
   * @returns the worker's problem; null if it is prepared or no worker runs. The next run starts with the
   * generation that is current then
   */
  prepare(command: Extract<AskedCommand, { type: 'prepare' }>): Promise<string | null> {
    return this.#ask(command, this.#options.timings.startMs);
  }

  /** Makes the worker commit or drop what it prepared. Resolves after its answer, or after 1 s. */
  async settle(command: Extract<AskedCommand, { type: 'settle' }>): Promise<void> {
    await this.#ask(command, MAX_SETTLE_MS);
  }

  /** Sends a message to the running worker. A stuck worker gets none: it would only use memory. */
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
    // The previous worker's port stayed open for its last messages.
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
      (error: unknown) => this.#settled(error ?? new Error('the worker failed without an error')),
    );
  }

  #receive(message: FromWorker, port: MessagePort): void {
    switch (message.type) {
      case 'log':
      case 'access_lines':
      case 'events':
      case 'spans':
      case 'tap':
        this.#options.onTelemetry(message, this.name);
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
          this.#reportEvent('up', `restart ${this.#restarts}`);
        }
        break;
      case 'prepared':
      case 'settled':
        if (port === this.#port) this.#question?.receive(message);
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
    const { timings, log, onLate, retriesStart } = this.#options;
    const { startMs, firstStartMs } = timings;
    if (!this.#wasEverUp && retriesStart !== true) {
      log.warn({ worker: this.name, afterMs: startMs, maxMs: firstStartMs }, 'worker does not listen yet');
      this.#timer = setTimeout(() => this.#missed(firstStartMs), firstStartMs - startMs);
      return;
    }
    const message = this.#missed(startMs);
    if (onLate === undefined) log.error({ worker: this.name }, message);
    else onLate(startMs);
  }

  /** Gives up on the start. Returns the message for the log. */
  #missed(afterMs: number): string {
    const message = `worker ${this.name} did not listen within ${afterMs / 1000} s`;
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
      if (error !== null) log.error({ err: error, worker: name }, 'worker failed during its drain');
      this.#finish();
      return;
    }
    const reason = error ?? new Error('the worker ended unexpectedly');
    if (!this.#wasEverUp) {
      const [line = ''] = messageOf(reason).split('\n');
      this.#firstListening.reject(new StartError(`worker ${name} did not start: ${line}`, { cause: reason }));
      if (this.#options.retriesStart !== true) {
        this.#finish();
        return;
      }
    }
    this.#startFailed = this.#state === 'starting';
    if (this.#state === 'up' && performance.now() - this.#upSince >= timings.steadyMs) this.#backoff.reset();
    this.#state = 'waiting';
    const restartInMs = Math.round(this.#backoff.next());
    log.error({ err: reason, worker: name, restartInMs }, 'worker failed');
    this.#reportEvent('failed', messageOf(reason));
    this.#timer = setTimeout(() => {
      this.#restarts++;
      this.#launch();
    }, restartInMs);
  }

  #reportEvent(reason: string, detail: string): void {
    const event = { at: Date.now(), kind: 'worker', reason, detail } as const;
    this.#options.onTelemetry({ type: 'events', events: [event], suppressed: 0 }, this.name);
  }

  /** Receives the worker's last messages: messages and the end of a task arrive on different paths. */
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

  /** Closes the port, after the end. */
  close(): void {
    this.#receiveRest();
    this.#port?.close();
  }
}
