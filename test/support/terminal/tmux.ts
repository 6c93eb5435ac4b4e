/** A terminal in tmux, in which a test runs a program and looks at the screen. */
import { eventually } from '../deadline.ts';
import { runCommand } from '../processes/run-command.ts';

let terminals = 0;

export class Tmux {
  /** The name of a server of the test's own, which ends with it. */
  readonly #server = `sluice-test-${process.pid}-${terminals++}`;

  /**
   * Starts a shell in a terminal.
   *
   * @param env set in the shell
   */
  static async start(
    width: number,
    height: number,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Tmux> {
    const terminal = new Tmux();
    const settings = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const size = ['-x', String(width), '-y', String(height)];
    await terminal.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...settings, 'env PS1="$ " sh');
    return terminal;
  }

  /** Presses keys, named as tmux does: `q`, `Enter`, `C-c`, `PageDown`. */
  async press(...keys: string[]): Promise<void> {
    await this.#tmux('send-keys', ...keys);
  }

  /** Types a line, and Enter. */
  async enter(line: string): Promise<void> {
    await this.#tmux('send-keys', '-l', line);
    await this.press('Enter');
  }

  async resize(width: number, height: number): Promise<void> {
    await this.#tmux('resize-window', '-x', String(width), '-y', String(height));
  }

  /** Returns the lines of the screen, without spaces at their ends. */
  async screen(): Promise<string[]> {
    const { stdout } = await this.#tmux('capture-pane', '-p');
    return stdout.replace(/\n$/, '').split('\n');
  }

  /** Returns the screen with the codes of its colours. */
  async colours(): Promise<string> {
    return (await this.#tmux('capture-pane', '-p', '-e')).stdout;
  }

  /** Waits until the screen has a text, and returns its lines. */
  async shows(pattern: RegExp): Promise<string[]> {
    return eventually(async () => {
      const lines = await this.screen();
      if (!pattern.test(lines.join('\n'))) {
        throw new Error(`the screen has no ${String(pattern)}:\n${lines.join('\n')}`);
      }
      return lines;
    });
  }

  /** Returns the value of a format of tmux, such as `#{alternate_on}`. */
  async format(text: string): Promise<string> {
    return (await this.#tmux('display-message', '-p', text)).stdout.trim();
  }

  /** Ends the terminal and what runs in it, as if its window was closed. */
  async close(): Promise<void> {
    await runCommand('tmux', ['-L', this.#server, 'kill-server']);
  }

  async #tmux(...args: string[]) {
    const result = await runCommand('tmux', ['-u', '-L', this.#server, ...args]);
    if (result.status !== 0) throw new Error(`tmux ${args.join(' ')}: ${result.stderr}`);
    return result;
  }
}
