import type { AnswerStream } from '../admin-answer.ts';

/** The result of a command, which becomes the JSON of its answer. */
export interface CommandResult {
  readonly status: 200 | 202 | 400 | 401 | 403 | 404 | 409 | 429 | 503;
  /** One sentence for a person. */
  readonly message: string;
  /** The command's own keys beside `status` and `message`. */
  readonly fields?: object;
  /** What the log line of the command says beside its path. */
  readonly logged?: object;
  /** The body of the answer in place of JSON. */
  readonly stream?: { readonly type: string; readonly body: AnswerStream };
}

/** A command of operators, or a question that only operators may ask. */
export interface AdminCommand {
  /** A segment in capitals matches any one segment: `/clusters/NAME/rebalance`. */
  readonly path: string;
  /** POST if left out. A command of GET changes nothing, and takes HEAD too. */
  readonly method?: 'GET' | 'DELETE';
  /** Whether the command needs no token. */
  readonly withoutToken?: boolean;
  /** Whether the command writes its own log lines. */
  readonly logsItself?: boolean;
  /** Logs a request that is refused for its token, in place of the router. Its parameters: client IP address, message. */
  readonly refused?: (client: string, message: string) => void;
  /**
   * Runs the command.
   *
   * @param args the segments in place of those in capitals, percent-decoded, in their order
   * @param client the client's IP address
   * @throws ParameterError for a parameter of the query that cannot be read
   */
  readonly run: (
    args: readonly string[],
    query: URLSearchParams,
    client: string,
  ) => CommandResult | Promise<CommandResult>;
}
