import type { Operator } from '../client/operator.ts';
import type { Command } from '../model/commands.ts';
import { byId, make, setText } from './dom.ts';

/** The user's input, by field name. */
type Filled = Readonly<Record<string, string>>;

/** A dialog that ends with a value, or with null if it is cancelled. */
class Dialog<T> {
  readonly #dialog: HTMLDialogElement;
  #settle: ((value: T | null) => void) | null = null;

  /** @param name ID of the dialog, and prefix of the IDs of its form and cancel button */
  constructor(name: string, onSubmit: () => void) {
    this.#dialog = byId(name, HTMLDialogElement);
    const cancel = document.getElementById(`${name}-cancel`);
    cancel?.addEventListener('click', () => this.end(null));
    // The event is asynchronous: the dialog may be open again.
    this.#dialog.addEventListener('close', () => {
      if (!this.#dialog.open) this.end(null);
    });
    byId(`${name}-form`, HTMLFormElement).addEventListener('submit', (event) => {
      event.preventDefault();
      onSubmit();
    });
  }

  open(): Promise<T | null> {
    this.end(null);
    this.#dialog.showModal();
    return new Promise((settle) => (this.#settle = settle));
  }

  get isOpen(): boolean {
    return this.#dialog.open;
  }

  end(value: T | null): void {
    const settle = this.#settle;
    this.#settle = null;
    if (this.#dialog.open) this.#dialog.close();
    settle?.(value);
  }
}

/** Asks for the token, and tries it before the dialog closes. */
export class TokenDialog {
  readonly #dialog: Dialog<true>;
  readonly #value = byId('token-value', HTMLInputElement);
  readonly #problem = byId('token-problem', HTMLParagraphElement);

  constructor(operator: Operator) {
    this.#dialog = new Dialog<true>('token', () => void this.#try(operator));
  }

  /** Resolves with whether the page has a token now. */
  async ask(): Promise<boolean> {
    this.#value.value = '';
    setText(this.#problem, '');
    const isTaken = await this.#dialog.open();
    // Otherwise the field would keep the token.
    this.#value.value = '';
    return isTaken === true;
  }

  async #try(operator: Operator): Promise<void> {
    const problem = await operator.login(this.#value.value.trim());
    if (!this.#dialog.isOpen) {
      // The user cancelled during the check.
      operator.forget();
    } else if (problem === null) {
      this.#dialog.end(true);
    } else {
      setText(this.#problem, problem);
      this.#value.select();
    }
  }
}

/** Explains how to set a token in the proxy. */
export class NoTokenDialog {
  readonly #dialog = new Dialog<null>('no-token', () => this.#dialog.end(null));

  async show(): Promise<void> {
    await this.#dialog.open();
  }
}

/** Asks for confirmation before a command is sent. */
export class AskDialog {
  readonly #dialog = new Dialog<Filled>('ask', () => this.#submit());
  readonly #title = byId('ask-title', HTMLHeadingElement);
  readonly #text = byId('ask-text', HTMLParagraphElement);
  readonly #fields = byId('ask-fields', HTMLDivElement);
  readonly #go = byId('ask-go', HTMLButtonElement);

  /** Resolves with the user's input. Null if the command must not be sent. */
  ask({ title, question, button, isHarmful, fields }: Command): Promise<Filled | null> {
    setText(this.#title, title);
    setText(this.#text, question ?? '');
    setText(this.#go, button);
    this.#go.className = isHarmful ? 'danger' : 'primary';
    this.#fields.replaceChildren(
      ...fields.map(({ name, label, placeholder }) =>
        make(
          'label',
          {},
          make('span', { class: 'label' }, label),
          make('input', { name, placeholder, autocomplete: 'off', spellcheck: 'false' }),
        ),
      ),
    );
    const filled = this.#dialog.open();
    this.#go.focus();
    return filled;
  }

  #submit(): void {
    const inputs = [...this.#fields.querySelectorAll('input')];
    this.#dialog.end(Object.fromEntries(inputs.map(({ name, value }) => [name, value.trim()])));
  }
}
