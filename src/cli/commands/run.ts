/** `sluice run`: runs the proxy. */
import type { CommandOptions } from '../arguments.ts';
import { banner } from '../banner.ts';
import { configSource } from '../config-file.ts';
import { shellWords } from '../serving/listen-remedy.ts';
import { runProxy } from '../serving/run-proxy.ts';

/**
 * Runs the proxy until a signal ends it.
 *
 * @returns the exit status: see `runProxy`
 * @throws ConfigError if the configuration is not valid, StartError if there is none
 */
export function run(options: CommandOptions): Promise<number> {
  const { argv, flags } = options;
  const takeOver = flags.has('takeover');
  return runProxy({
    source: configSource(options),
    watch: flags.has('watch'),
    takeOver,
    onReady: ({ config, admin, isAtTerminal, write }) => {
      // Ctrl-C of the terminal does not reach a successor.
      if (!takeOver && isAtTerminal && config.log.level !== 'silent') write(banner(config, admin));
    },
    changeAddress: (setting, address) => `sluice ${shellWords([...argv, '--set', `${setting}=${address}`])}`,
  });
}
