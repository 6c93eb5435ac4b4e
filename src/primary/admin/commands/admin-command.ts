import type { AnswerStream } from '../admin-answer.ts';

/** The result of a command. It becomes the JSON of the answer. */
export interface CommandResult {
  readonly status: 200 | 202 | 400 | 401 | 403 | 404 | 409 | 429 | 503;
  /** One sentence for a person. */
  readonly message: string;
  /** Further keys beside `status` and `message`. */
  readonly fields?: object;
  /** Fields of the command's log line, besides its path. */
  readonly logged?: object;
  /** Body of the answer in place of JSON. */
  readonly stream?: { readonly type: string; readonly body: AnswerStream };
}

/** A command or query that only operators may use. */
export interface AdminCommand {
  /** A segment in capitals matches any one segment: `/clusters/NAME/rebalance`. */
  readonly path: string;
  /** POST if omitted. A GET command changes nothing, and accepts HEAD too. */
  readonly method?: 'GET' | 'DELETE';
  /** Whether the command works without a token. */
  readonly withoutToken?: boolean;
  /** Whether the command writes its own log lines. */
  readonly logsItself?: boolean;
  /**
   * Logs a request whose token is refused, instead of the router.
   *
   * @param client the client's IP address
   */
  readonly refused?: (client: string, message: string) => void;
  /**
   * Runs the command.
   *
   * @param args percent-decoded segments of the request's path, at the positions of the path's capitals
   * @param client the client's IP address
   * @throws ParameterError if a query parameter is invalid
   */
  readonly run: (
    args: readonly string[],
    query: URLSearchParams,
    client: string,
  ) => CommandResult | Promise<CommandResult>;
}
