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
  reload                makes a running sluice read its configuration anew
  drain                 makes it end connections at a pace
  status                shows what it does
  top                   shows it live
  bench                 puts a server or a proxy under load: sluice bench --help

Options:
${CONFIG_OPTIONS}
  -h, --help            this text, or that of a command: sluice run --help
  -V, --version         the version

Every setting outside of lists can also be set by the environment: SLUICE_ and its path
in capitals, such as SLUICE_LOG_LEVEL=debug or SLUICE_ADMIN_ADDRESS=127.0.0.1:9091.
SLUICE_STICKY_SECRET is the secret of the sticky cookies of all clusters.

Exit status: 0 where all went well, 1 for a bad configuration or a failed start, 2 for
bad usage.
`;

const BY_COMMAND: Readonly<Record<CommandName, string>> = {
  run: `Usage: sluice run [OPTIONS]

Carries traffic until it is told to stop.

Options:
${CONFIG_OPTIONS}
  -t, --test            checks the configuration and ends: the same as sluice check
      --watch           reloads when the configuration or a file that it names changes
      --takeover        takes the place of the sluice that runs with the same admin
                        address, without refusing a connection; that one then drains
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
  reload: `Usage: sluice reload [OPTIONS]

Makes the sluice that runs with this configuration read it anew, and says how that went.
The admin address and admin.token are taken from the configuration.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 where the new configuration is in use, 1 where the old one stayed.
`,
  drain: `Usage: sluice drain [OPTIONS]

Makes the sluice that runs with this configuration take no new work and end what lives:
WebSockets with the close code 1012, tunnels when nothing crosses any more.

Options:
      --listener NAME   only what came by this listener
      --cluster NAME    only what goes to this cluster
      --endpoint ADDRESS  of that cluster only what goes to this endpoint
      --rate RATE       connections a second, such as 100/s, instead of drain.rate; 0
                        ends nothing
      --deadline TIME   when the rest is ended, such as 5m, instead of drain.deadline
      --jitter TIME     by up to how much the turn of each is put off
      --watch           shows the progress, and ends when nothing is left
      --undo            takes new work again
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  status: `Usage: sluice status [OPTIONS]

Shows what the sluice that runs with this configuration does.

Options:
      --json            as JSON, as /status gives it
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  top: `Usage: sluice top [OPTIONS]

Shows sessions, messages, bytes, workers and endpoints live, until it is interrupted.
Where the output is no terminal, it shows them once.

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
