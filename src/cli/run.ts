/** `sluice run`: the proxy itself. */
import { loadConfig } from '../config/loader.ts';
import type { Config } from '../config/types.ts';
import { hardExit } from '../primary/hard-exit.ts';
import { serve } from '../primary/serve.ts';
import type { Outcome } from '../primary/serve.ts';
import { LogOutput } from '../telemetry/log-output.ts';
import { createLogger } from '../telemetry/logger.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CommandOptions } from './arguments.ts';
import { banner } from './banner.ts';
import { DemoProcess } from './demo-process.ts';
import { describeFailure } from './diagnostics.ts';

/** How long the end waits for a reader of the log. */
const LOG_TIMEOUT_MS = 2_000;

/**
 * Runs the proxy until a signal ends it.
 *
 * @returns the exit status: 0 after a drain, 1 where it could not start or a worker did not end, 128 and the
 * signal's number where a second signal cut the drain short
 * @throws ConfigError for a configuration that cannot be used
 */
export async function run(options: CommandOptions): Promise<number> {
  const { configFile: file, overrides, env } = options;
  const { config, warnings } = loadConfig({ file, overrides, env });
  const output = new LogOutput(config.log.format);
  const log = createLogger(config.log, output);
  for (const { place, message } of warnings) log.warn({ place }, message);

  const { status, ended, failure } = await serveWithDemo(options, config, log, output);
  const written = await output.close(LOG_TIMEOUT_MS);
  if (failure !== null) process.stderr.write(describeFailure(failure).text);
  if (!ended || !written) hardExit(status);
  return status;
}

async function serveWithDemo(
  options: CommandOptions,
  config: Config,
  log: Logger,
  output: LogOutput,
): Promise<Outcome> {
  let demo: DemoProcess | null = null;
  try {
    if (config.demo !== null) demo = await DemoProcess.start(options, log);
    return await serve({
      config,
      log,
      output,
      load: () => loadConfig({ file: options.configFile, overrides: options.overrides, env: options.env }),
      takeOver: options.flags.has('takeover'),
      faultHooks: options.env.SLUICE_FAULT_HOOKS === '1',
      onReady: ({ config: concrete, admin }) => {
        const atTerminal = config.log.format === 'pretty' && process.stdout.isTTY;
        if (atTerminal && config.log.level !== 'silent') output.writeText(banner(concrete, admin));
      },
    });
  } catch (failure) {
    return { status: 1, ended: true, failure };
  } finally {
    await demo?.stop();
  }
}
