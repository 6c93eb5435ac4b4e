import { TICK_MS } from '../core/timer-wheel.ts';
import type { FromWorker } from '../protocol/from-worker.ts';
import type { ToWorker, WorkerStart } from '../protocol/to-worker.ts';
import { createWorkerLogger } from '../telemetry/logger.ts';
import { createEnvironment, type Environment } from './environment.ts';
import { Eviction, type Evictable } from './eviction.ts';
import { LoopMeter, type InnerLoop } from './loop-meter.ts';

/** What one kind of worker does; the thread around it is the same for all. */
export interface Service {
  /** The loop that the thread waits in, or null where that is Node's. */
  readonly innerLoop: InnerLoop | null;
  /** Resolves when every listener accepts connections; rejects where one cannot. */
  listen(): Promise<void>;
  /** Stops accepting, ends what lives in good order, and resolves when nothing is left or the grace is over. */
  drain(graceMs: number): Promise<void>;
  /** The connections that live of one endpoint, given by its label. */
  connectionsOf(cluster: string, endpoint: string): Evictable[];
  /** Closes everything now. Safe at any time, and more than once. */
  abort(): void;
}

/**
 * Runs a service as a worker's task until it is drained, or fails. An exception that nothing caught ends this
 * task alone: the service is closed, which uWS needs for the thread to live on, and the task rejects with it.
 */
export async function runService(
  start: WorkerStart,
  create: (environment: Environment) => Service,
): Promise<void> {
  const { port, config, name, generation } = start;
  const say = (message: FromWorker): void => port.postMessage(message);
  const log = createWorkerLogger(config.log, name, (lines) => say({ type: 'log', lines }));
  const outcome = Promise.withResolvers<undefined>();
  const onFault = (error: unknown): void => outcome.reject(error);
  process.on('uncaughtException', onFault);
  let service: Service | null = null;
  let ticker: NodeJS.Timeout | undefined;
  let meter: LoopMeter | undefined;
  const evictions: Eviction[] = [];
  try {
    const environment = createEnvironment(start, log, say);
    const { wheel, page, clusters } = environment;
    const running = (service = create(environment));
    // A loop of the service's own drives the wheel itself.
    if (running.innerLoop === null) {
      ticker = setInterval(() => wheel.advance(performance.now()), TICK_MS);
    }
    meter = new LoopMeter(page, name, running.innerLoop);
    port.on('message', (command: ToWorker) => {
      switch (command.type) {
        case 'drain':
          running.drain(command.graceMs).then(() => outcome.resolve(undefined), onFault);
          break;
        case 'cluster':
          clusters.get(command.state.cluster)?.update(command.state);
          break;
        case 'evict':
          evictions.push(new Eviction(running.connectionsOf(command.cluster, command.endpoint), command));
          break;
        case 'fault':
          setImmediate(() => {
            throw new Error('fault injected');
          });
          break;
      }
    });
    await Promise.race([running.listen(), outcome.promise]);
    say({ type: 'listening', generation });
    await outcome.promise;
  } finally {
    // Not inside the callback that failed: uWS may still be at work around it.
    await turn();
    service?.abort();
    clearInterval(ticker);
    for (const eviction of evictions) eviction.stop();
    meter?.stop();
    // Handles close over the next turns; only then may the thread end.
    await turn();
    await turn();
    process.off('uncaughtException', onFault);
    log.flush();
    port.close();
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
