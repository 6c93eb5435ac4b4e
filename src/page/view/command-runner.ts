import type { ApiAnswer, Operator } from '../client/operator.ts';
import { withFields, type Command } from '../model/commands.ts';
import type { AnswersView } from './answers-view.ts';
import { AskDialog, NoTokenDialog, TokenDialog } from './dialogs.ts';

/**
 * Runs a command for the user: asks for the token, asks for confirmation, sends the command and shows the
 * answer.
 */
export class CommandRunner {
  readonly #operator: Operator;
  readonly #answers: AnswersView;
  readonly #tokenDialog: TokenDialog;
  readonly #askDialog = new AskDialog();
  readonly #noTokenDialog = new NoTokenDialog();
  /** Whether the proxy has a token, according to the last frame. */
  takesCommands = true;

  constructor(operator: Operator, answers: AnswersView) {
    this.#operator = operator;
    this.#answers = answers;
    this.#tokenDialog = new TokenDialog(operator);
  }

  /** Resolves with whether the page has a token. Asks for it if it is missing. */
  async authorize(): Promise<boolean> {
    if (this.#operator.hasToken) return true;
    if (!this.takesCommands) {
      await this.#noTokenDialog.show();
      return false;
    }
    return this.#tokenDialog.ask();
  }

  /** Resolves with the answer. Null if the command was not sent. */
  async run(command: Command): Promise<ApiAnswer | null> {
    if (!(await this.authorize())) return null;
    const filled = command.question === null ? {} : await this.#askDialog.ask(command);
    if (filled === null) return null;
    const answer = await this.#operator.send(command.method, withFields(command.path, filled));
    const isDone = answer.status >= 200 && answer.status < 300;
    const text =
      answer.status === 401 ? 'The proxy no longer accepts the token: enter the new one.' : answer.message;
    this.#answers.add({ title: command.title.replace(/\?$/, ''), text, isDone });
    return answer;
  }
}
