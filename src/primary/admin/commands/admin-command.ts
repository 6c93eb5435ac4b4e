/** The result of a command, which becomes the JSON of its answer. */
export interface CommandResult {
  readonly status: 200 | 202 | 400 | 404 | 409;
  /** One sentence for a person. */
  readonly message: string;
  /** The command's own keys beside `status` and `message`. */
  readonly fields?: object;
}

/** A command that operators give by POST. */
export interface AdminCommand {
  /** A segment in capitals matches any one segment: `/clusters/NAME/rebalance`. */
  readonly path: string;
  /** Whether the command needs no token. */
  readonly withoutToken?: boolean;
  /**
   * Runs the command.
   *
   * @param args the segments in place of those in capitals, percent-decoded, in their order
   * @throws ParameterError for a parameter of the query that cannot be read
   */
  readonly run: (args: readonly string[], query: URLSearchParams) => CommandResult | Promise<CommandResult>;
}
