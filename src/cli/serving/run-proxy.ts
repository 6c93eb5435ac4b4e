/** Runs the proxy with any configuration. */
import { statSync } from 'node:fs';
import { extname } from 'node:path';
import { loadConfig, loadConfigInSlices, type ConfigSource } from '../../config/loader.ts';
import { ItemMemory } from '../../config/syntax/item-memory.ts';
import type { Config } from '../../config/types/config.ts';
import type { TcpAddress } from '../../core/address.ts';
import { readDescriptorLimit } from '../../core/descriptor-limit.ts';
import { messageOf } from '../../core/errors.ts';
import { FileWatch } from '../../primary/process/file-watch.ts';
import { hardExit } from '../../primary/process/hard-exit.ts';
import { ServiceManager } from '../../primary/process/service-manager.ts';
import { Successor } from '../../primary/process/successor.ts';
import { serve } from '../../primary/serve.ts';
import type { Outcome } from '../../primary/serve.ts';
import type { WorkerFiles } from '../../primary/workers/worker-threads.ts';
import { takeStandardOutput } from '../../sys/descriptors/standard-output.ts';
import { createLogger } from '../../telemetry/primary-logger.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { LogOutputs, isAtTerminal } from '../../telemetry/output/log-outputs.ts';
import { TroubleReport } from '../../telemetry/output/trouble-report.ts';
import { DemoProcess } from '../demo/demo-process.ts';
import { describeFailure } from '../diagnostics.ts';
import { guardErrors } from '../standard-streams.ts';
import { listenRemedy } from './listen-remedy.ts';

/** Max time that the shutdown waits for the reader of the log. */
const LOG_TIMEOUT_MS = 2_000;
/** Time until a forced exit if something still keeps the process alive. */
const MAX_LEAVE_MS = 200;

const WORKER_FILES: WorkerFiles = {
  l7: entry(new URL('../../worker/l7.ts', import.meta.url)),
  l4: entry(new URL('../../worker/l4.ts', import.meta.url)),
};

/** Returns a worker module with the extension of this file, because the build compiles both to JavaScript. */
function entry(module: URL): URL {
  return new URL(module.href.replace(/\.ts$/, extname(import.meta.url)));
}

/** A proxy that is ready. */
interface Ready {
  /** The configuration with concrete addresses. */
  readonly config: Config;
  readonly admin: TcpAddress;
  /** Whether the log goes to a person at a terminal. */
  readonly isAtTerminal: boolean;
  /** Writes text for people between the lines of the log. */
  readonly write: (text: string) => void;
}

interface RunOptions {
  readonly source: ConfigSource;
  /** Whether changes of the configuration's files cause a reload. */
  readonly watch: boolean;
  /** Whether the process replaces the sluice that runs with the same admin address. */
  readonly takeOver: boolean;
  readonly onReady: (ready: Ready) => void;
  /** Returns the command that changes a setting to an address. */
  readonly changeAddress: (setting: string, address: string) => string;
}

/**
 * Runs the proxy until a signal ends it.
 *
 * @returns the exit status: 0 after a drain, 1 if the start failed or a worker did not end. If a second
 * signal cut the drain short, 128 plus its number.
 * @throws ConfigError if the configuration is not valid
 */
export async function runProxy(options: RunOptions): Promise<number> {
  const memory = new ItemMemory();
  const source = { ...options.source, descriptorLimit: readDescriptorLimit() };
  const { config, warnings, files } = loadConfig(source, memory);
  const watch = options.watch ? new FileWatch(files) : null;
  const stdout = takeStdout();
  const trouble = new TroubleReport(() => log, writeError);
  const output = new LogOutputs(config.log, (found) => trouble.report(found), { stdout: stdout.fd });
  const log = createLogger(config.log, output);
  const { problem } = stdout;
  if (problem !== null) log.info({ reason: problem }, 'native libraries may write to standard output');
  for (const { place, message } of warnings) log.warn({ place }, message);

  const surroundings = { source, memory, log, output, watch, stdout: stdout.fd };
  const { status, ended, failure } = await serveWithDemo(options, config, surroundings);
  const written = await output.close(LOG_TIMEOUT_MS);
  if (failure !== null) {
    writeError(describeFailure(failure).text);
    writeError(await listenRemedy(failure, options.changeAddress));
  }
  if (!ended || !written) hardExit(status);
  // Pending attempts of the trace exporter would keep the process alive for seconds.
  setTimeout(() => process.exit(status), MAX_LEAVE_MS).unref();
  return status;
}

/** The log's reader may have left, and often reads standard error too: that must not end the proxy. */
function writeError(text: string): void {
  guardErrors();
  process.stderr.write(text);
}

/** Keeps native libraries from writing between log lines. `problem` is the reason if that fails. */
function takeStdout(): { readonly fd: number; readonly problem: string | null } {
  try {
    return { fd: takeStandardOutput(), problem: null };
  } catch (error) {
    return { fd: 1, problem: messageOf(error) };
  }
}

/** Returns the command that started this process. The Node binary's path has no symbolic link. */
function ownCommand(): string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1)];
}

/** Whether another process can read a configuration: not from the command line, standard input or a pipe. */
function isInFile({ file, text }: ConfigSource): boolean {
  return text === undefined && statSync(file, { throwIfNoEntry: false })?.isFile() !== false;
}

interface Surroundings {
  readonly source: ConfigSource;
  /** Items that successive loads of the configuration share. */
  readonly memory: ItemMemory;
  readonly stdout: number;
  readonly log: Logger;
  readonly output: LogOutputs;
  readonly watch: FileWatch | null;
}

async function serveWithDemo(
  options: RunOptions,
  config: Config,
  { source, memory, stdout, log, output, watch }: Surroundings,
): Promise<Outcome> {
  let demo: DemoProcess | null = null;
  try {
    if (config.demo !== null) demo = await DemoProcess.start(source, log);
    return await serve({
      config,
      log,
      output,
      load: (slices) => loadConfigInSlices(source, slices, memory),
      watch,
      workerFiles: WORKER_FILES,
      manager: ServiceManager.of(source.env, log),
      successor: new Successor({
        command: ownCommand(),
        env: source.env,
        canStart: isInFile(source),
        stdout,
        log,
      }),
      takeOver: options.takeOver,
      faultHooks: source.env.SLUICE_FAULT_HOOKS === '1',
      onReady: ({ config: concrete, admin }) => {
        options.onReady({
          config: concrete,
          admin,
          isAtTerminal: isAtTerminal(config.log, stdout),
          write: (text) => output.writeText(text),
        });
      },
    });
  } catch (failure) {
    return { status: 1, ended: true, failure };
  } finally {
    await demo?.stop();
  }
}
