/** The texts of `--help`. */
import type { CommandName } from './arguments.ts';

const CONFIG_OPTIONS = `  -c, --config FILE     YAML or JSON; config/sluice.yaml where it is not given
      --set PATH=VALUE  sets one value over the file and the environment, and may be
                        repeated: --set log.level=debug --set listeners.0.address=:8080`;
const HELP_OPTION = `  -h, --help            this text`;

const GENERAL = `Usage: sluice COMMAND [OPTIONS]

An edge proxy and load balancer for WebSockets.

Commands:
  run                   carries traffic until it is told to stop
  check                 says what is wrong with a configuration
  print-config          prints the configuration in force, defaults included
  demo                  runs the demo's servers alone
  bench                 puts a server or a proxy under load: sluice bench --help

Options:
${CONFIG_OPTIONS}
  -h, --help            this text, or that of a command: sluice run --help
  -V, --version         the version

Every setting outside of lists can also be set by the environment: SLUICE_ and its path
in capitals, such as SLUICE_LOG_LEVEL=debug or SLUICE_ADMIN_ADDRESS=127.0.0.1:9091.

Exit status: 0 where all went well, 1 for a bad configuration or a failed start, 2 for
bad usage.
`;

const BY_COMMAND: Readonly<Record<CommandName, string>> = {
  run: `Usage: sluice run [OPTIONS]

Carries traffic until it is told to stop.

Options:
${CONFIG_OPTIONS}
  -t, --test            checks the configuration and ends: the same as sluice check
${HELP_OPTION}

Signals:
  SIGTERM, SIGINT       stop: end what lives within shutdown.grace; the second one at once
  SIGHUP                read the configuration anew, and keep the old one if it is bad
  SIGUSR1               open the log files anew
`,
  check: `Usage: sluice check [OPTIONS]

Reads a configuration and every file that it names. Each error is a line of its own on
stderr, as FILE:LINE:COLUMN: MESSAGE; warnings are marked as such and do no harm.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 where it can be used, 1 where it cannot.
`,
  'print-config': `Usage: sluice print-config [OPTIONS]

Prints the configuration in force as YAML: the file, the environment and --set, and the
default of everything else.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  demo: `Usage: sluice demo [OPTIONS]

Runs the WebSocket servers of the demo alone, on the endpoints of the clusters that the
setting demo names.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
};

/** Help on one command, or on the whole; ends in a newline. */
export function usage(command: CommandName | null): string {
  return command === null ? GENERAL : BY_COMMAND[command];
}
