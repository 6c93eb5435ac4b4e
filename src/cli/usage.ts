/** The `--help` texts. */
import type { CommandName } from './arguments.ts';

const CONFIG_OPTIONS = `  -c, --config FILE     YAML or JSON; config/sluice.yaml by default
      --set PATH=VALUE  overrides one value of the file and the environment; may be
                        repeated: --set log.level=debug --set listeners.0.address=:8080`;
const HELP_OPTION = `  -h, --help            this text`;

const GENERAL = `Usage: sluice COMMAND [OPTIONS]

An edge proxy and load balancer for WebSockets.

Commands:
  run                   runs the proxy
  check                 validates a configuration
  print-config          prints the effective configuration, defaults included
  demo                  runs only the demo's servers
  reload                reloads the configuration of a running sluice
  drain                 drains connections of a running sluice
  sessions              lists the sessions of a running sluice
  kick                  closes sessions; their clients may reconnect
  revoke                blocks a principal and closes its sessions
  events                prints recent refusals and failures
  status                shows the state of a running sluice
  top                   shows state and rates live
  tap                   shows and records live frames
  bench                 load-tests a server or a proxy: sluice bench --help

Options:
${CONFIG_OPTIONS}
  -h, --help            this text, or help on a command: sluice run --help
  -V, --version         the version

The environment can set every value outside of lists: SLUICE_ and its path in capitals,
such as SLUICE_LOG_LEVEL=debug or SLUICE_ADMIN_ADDRESS=127.0.0.1:9481.
SLUICE_STICKY_SECRET sets the secret of sticky cookies for all clusters.

Exit status: 0 for success, 1 for a bad configuration or a failed start, 2 for
bad usage.
`;

const BY_COMMAND: Readonly<Record<CommandName, string>> = {
  run: `Usage: sluice run [OPTIONS]

Runs the proxy until a signal stops it.

Options:
${CONFIG_OPTIONS}
  -t, --test            checks the configuration and exits: same as sluice check
      --watch           reloads when the configuration or a file that it names changes
      --takeover        replaces the sluice that runs with the same admin address,
                        without refusing a connection; the old process then drains
${HELP_OPTION}

Signals:
  SIGTERM, SIGINT       stop: end all connections within shutdown.grace; a second
                        signal ends them at once
  SIGHUP                reload the configuration; keep the old one if it is not valid
  SIGUSR1               reopen the log files
`,
  check: `Usage: sluice check [OPTIONS]

Validates a configuration and every file that it names. Each error is one line on
stderr: FILE:LINE:COLUMN: MESSAGE. Warnings begin with "warning:".

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 if the configuration is valid, 1 if not.
`,
  'print-config': `Usage: sluice print-config [OPTIONS]

Prints the effective configuration as YAML: the file, the environment, --set, and the
defaults of all other settings.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  reload: `Usage: sluice reload [OPTIONS]

Makes the sluice that runs with this configuration reload it, and shows the result.
The command takes the admin address and admin.token from the configuration.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 if the new configuration took effect, 1 if the old one stays.
`,
  drain: `Usage: sluice drain [OPTIONS]

Makes the sluice that runs with this configuration refuse new connections and close the
open ones: WebSockets with the close code 1012, tunnels when they are idle.

Options:
      --listener NAME   only connections of this listener
      --cluster NAME    only connections to this cluster
      --endpoint ADDRESS  only connections to this endpoint of the cluster
      --rate RATE       connections per second, such as 100/s, instead of drain.rate;
                        0 closes none before the deadline
      --deadline TIME   time until the remaining connections are closed, such as 5m,
                        instead of drain.deadline
      --jitter TIME     max random delay of each close, instead of drain.jitter
      --watch           shows the progress until no connection remains
      --undo            accepts new connections again
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  sessions: `Usage: sluice sessions [OPTIONS]

Lists the sessions of the sluice that runs with this configuration, over all workers,
sorted by ID.

Options:
      --principal NAME  only sessions of this principal, such as jwt:alice; alice
                        without a kind matches every kind
      --cluster NAME    only sessions of this cluster
      --client ADDRESS  only sessions of this IP address
      --limit NUMBER    max sessions, up to 1000; 100 by default
      --json            as JSON, as /sessions returns it
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  kick: `Usage: sluice kick [OPTIONS] ID
       sluice kick [OPTIONS] --principal NAME

Closes a session, or all sessions of a principal. The clients may reconnect: to block
them, use sluice revoke.

Options:
      --principal NAME  a principal, such as jwt:alice; alice without a kind matches
                        every kind
      --code NUMBER     the close code: 1000, 1001, 1008, 1011 to 1013, or 3000 to 4999;
                        1008 by default
      --reason TEXT     reason sent to the client, at most 123 bytes
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 if a session was closed, 1 if not.
`,
  revoke: `Usage: sluice revoke [OPTIONS] NAME

Closes all sessions of a principal with the code 1008, and refuses its credentials that
were issued before now. NAME includes the kind, such as jwt:alice; alice without a kind
matches every kind.

Options:
      --undo            admits the principal again
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  events: `Usage: sluice events [OPTIONS]

Prints recent refusals and failures of the sluice that runs with this configuration,
one line each, newest last. Equal events within a minute share a line.

Options:
      --follow          prints new events until interrupted
      --limit NUMBER    max lines of the first output, up to 1000; all by default
      --json            one JSON object per line
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  status: `Usage: sluice status [OPTIONS]

Shows the state of the sluice that runs with this configuration.

Options:
      --json            as JSON, as /status returns it
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  top: `Usage: sluice top [OPTIONS]

Shows sessions, rates, clusters, endpoints, workers, errors, listeners and the last events
live, on a terminal of at least 60x14. Shows them once if the output is not a terminal.
The last events need admin.token.

Keys:
  1 to 7, Tab           choose the table
  up, down, PgUp, PgDn  scroll
  s, S                  sort by the next column, reverse the order
  /                     show only rows with a text; Esc shows all
  space                 pause; again to continue
  ?                     all keys
  q                     quit

Options:
      --json            one frame as JSON, as /live?once returns it
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
  tap: `Usage: sluice tap [OPTIONS]
       sluice tap --from FILE [OPTIONS]

Shows live frames of the sluice that runs with this configuration, one line each: time,
session, direction, opcode, bytes on the wire. Shows reads of tunnels too. Needs
admin.token, and admin.tap in the running configuration.

Sessions to show (all by default; every condition must hold):
      --session ID      this session; sluice sessions lists the IDs
      --listener NAME   sessions and tunnels of this listener
      --route NAME      sessions of this route
      --cluster NAME    sessions and tunnels of this cluster
      --endpoint ADDRESS  sessions and tunnels of this endpoint
      --principal NAME  sessions of this principal, such as jwt:alice or alice
      --client ADDRESS  sessions and tunnels of this IP address
      --sample PART     a random share of these sessions, such as 1%

Details to show:
      --payload         the contents of messages; needs admin.tap: payload
      --max-payload SIZE  bytes of a message, up to 64KiB; 4KiB by default
      --redact RULE     hides matches in payloads: a JSON path such as $.password, or an
                        expression such as /[0-9]{16}/; may be repeated
      --hex             a hex dump below each payload
      --json            one JSON object per line, as the proxy sends it

Output, input and end:
      --output FILE     records to a file: HTTP Archive (HAR) if its name ends in .har,
                        otherwise JSON lines for sluice bench URL --replay FILE
      --force           replaces an existing file
      --duration TIME   ends after this time, such as 5m
      --frames NUMBER   ends after this number of frames
      --from FILE       reads a recording instead of a live proxy; - is stdin

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}

Exit status: 0 after Ctrl-C, --duration, --frames or the end of a recording; 1 if the
proxy refused or ended the tap; 2 for bad usage; 128 plus the number of any other
signal.
`,
  demo: `Usage: sluice demo [OPTIONS]

Runs only the demo's WebSocket servers, on the endpoints of the clusters that the
setting demo names.

Options:
${CONFIG_OPTIONS}
${HELP_OPTION}
`,
};

/** Returns the help of one command, or the general help if null. Ends in a newline. */
export function usage(command: CommandName | null): string {
  return command === null ? GENERAL : BY_COMMAND[command];
}
