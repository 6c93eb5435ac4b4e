/** What a worker says to the primary. How its task ends says the rest: resolved when drained, rejected on a fault. */

export type FromWorker = ListeningReport | LogReport;

/** Every listener of the worker's kind accepts connections under this generation. */
interface ListeningReport {
  readonly type: 'listening';
  readonly generation: number;
}

/** Finished log lines, each ending in a newline. */
interface LogReport {
  readonly type: 'log';
  readonly lines: string;
}
